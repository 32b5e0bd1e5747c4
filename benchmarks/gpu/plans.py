"""The plan of the study: what fits into the time, on photographs or on the digits."""

from __future__ import annotations

from typing import Any

from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.experiment.plan_file import check_plan

SEEDS = 8
BATCH, IMAGES = 512, 50_000
COST_OF_A_SEED = 8.0  # in trainings of a teacher with both views: 4 teachers, 8 students of them, 1 student alone
PACKED = 2.0  # how many times faster side by side; a careful guess
# depths of teacher and student, epochs, and how long a step is compared with that of wrn40-2
CHOICES = ((56, 20, 30, 0.6), (56, 20, 20, 0.6), (20, 8, 20, 0.2))
LOADERS = ('val', 'test')


def choose(step_ms: float | None, seconds: float) -> tuple[int, int, int]:
    """Depths of teacher and student and epochs, such that two seeds fit; the smallest if none does.

    Args:
        step_ms: Measured step of the wrn40-2 teacher with both views; None if unknown.
        seconds: Time of the study.
    """
    steps = -(-IMAGES // BATCH)
    for teacher, student, epochs, share in CHOICES:
        one_seed = COST_OF_A_SEED * steps * epochs * share * (step_ms or 30.0) / 1e3 / PACKED
        if 2 * one_seed <= seconds:
            return teacher, student, epochs
    return CHOICES[-1][:3]


def plan_of(file: str | None, choice: tuple[int, int, int], device: str, quick: bool) -> Plan:
    """The plan.

    Args:
        file: Images for :class:`icckd_mm.ImageArrays`; None for the digits.
        choice: Of :func:`choose`, for photographs.
        device: ``'cuda'`` or ``'cpu'``.
        quick: One seed of a few runs on a few images.
    """
    designs = [dict(type='product', loss_weight=[0.02, 0.05], student=['kd', 'kd-rkd'])]
    content: dict[str, Any] = dict(
        name='gpu-quarter-hour', seeds=list(range(SEEDS)), designs=designs, device_loader=True, options={}
    )
    content.update(_photographs(file, choice) if file else _digits())
    everywhere = content['options'].setdefault('all', {})
    everywhere.update(_common_options(content['default']['epochs'], device))
    if quick:
        content.update(seeds=[0], designs=[dict(type='product', loss_weight=[0.05])], controls=['ce'])
        content['default'].update(images=64, epochs=1)
        everywhere.update({f'{loader}_dataloader.dataset.indices': 40 for loader in LOADERS})
        everywhere.update({'train_dataloader.batch_size': 32, 'train_cfg.val_interval': 1})
    return check_plan(content)


def _photographs(file: str, choice: tuple[int, int, int]) -> dict[str, Any]:
    teacher, student, epochs = choice
    data = dict(type='icckd_mm.ImageArrays', file=file)
    return dict(
        title=f'CIFAR-10 (JPEG), all training images at 32x32, resnet{teacher} to resnet{student}, {epochs} epochs, one GPU',
        default=dict(data='cifar10-jpeg', pair='resnet56_resnet20', epochs=epochs),
        datasets={
            'cifar10-jpeg': dict(configs='cifar10', train=data, test=dict(data, split='test', test_mode=True), num_classes=10)
        },
        networks=dict(teacher={'backbone.depth': teacher}, student={'backbone.depth': student}),
        options={
            'all': {
                'train_dataloader.batch_size': BATCH,
                'optim_wrapper.optimizer.lr': 0.2,
                **{f'{loader}_dataloader.batch_size': BATCH for loader in LOADERS},
            }
        },
    )


def _digits() -> dict[str, Any]:
    return dict(
        title='Handwritten digits (no photographs were given): 300 training images, 16x16, one GPU',
        default=dict(data='digits', pair='resnet20_resnet8', images=300, epochs=40),
    )


def _common_options(epochs: int, device: str) -> dict[str, Any]:
    options: dict[str, Any] = {
        'default_hooks.checkpoint.interval': epochs,
        'default_hooks.checkpoint.save_best': None,
        'train_cfg.val_interval': epochs,
        **{f'{loader}_dataloader.num_workers': 0 for loader in LOADERS},
        **{f'{loader}_dataloader.persistent_workers': False for loader in LOADERS},
    }
    if device != 'cpu':
        options.update({'optim_wrapper.type': 'AmpOptimWrapper', 'optim_wrapper.dtype': 'bfloat16'})
        options['optim_wrapper.loss_scale'] = dict(
            enabled=False
        )  # bfloat16 does not overflow; a scaler asks the host each step
        options['optim_wrapper.optimizer.fused'] = True
    return options
