"""Every distiller's config on the digits trains from a real ICC teacher, and its loss reaches the student."""

import functools
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from icckd_mm.config.command_line import set_loader_defaults
from tests.helpers import equal
from tools.dev import first_batch

ROOT = Path(__file__).resolve().parents[2] / 'configs/icckd'
# Need a first stage, or no teacher: tests/integration/test_distill_stages.py; no data: tests/test_distill/test_data_free.py
STAGED = ('icckd-ab_', 'icckd-ft', 'byot_', 'uskd_', 'icckd-dafl_', 'icckd-dfad_')
CONFIGS = sorted(path.name for path in (ROOT / 'distill').glob('*_digits.py') if not path.name.startswith(STAGED))


SAFE = tuple(f'icckd_mm.{name}' for name in ('SafeTeacherDistill', 'OverhaulFeatureDistillation', 'ReusedClassifierDistill'))


class Gradients(Hook):
    """Whether each distillation loss alone has a gradient somewhere in the student, in the first step."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 0:
            data = runner.model.data_preprocessor(data_batch, True)
            losses = runner.model(**data, mode='loss')
            self.losses = {name: value for name, value in losses.items() if name.startswith('distill.') and 'loss' in name}
            weights = list(runner.model.student.parameters())
            self.reached = {
                name: any(
                    gradient is not None and bool(gradient.abs().sum() > 0)
                    for gradient in torch.autograd.grad(loss, weights, retain_graph=True, allow_unused=True)
                )
                for name, loss in self.losses.items()
            }


@pytest.fixture(scope='module')
def teachers(tmp_path_factory):
    """Trains a teacher on first use; two epochs are enough for an accuracy above chance."""

    @functools.cache
    def trained(net):
        folder = tmp_path_factory.mktemp(net)
        runner(ROOT / f'teacher/icc_{net}_1xb64_digits.py', folder, epochs=2).train()
        return str(folder / 'epoch_2.pth')

    return trained


def runner(path, folder, epochs=1, validate=False, resume=False, **model):
    cfg = Config.fromfile(path)
    set_loader_defaults(cfg, ['train_dataloader', 'val_dataloader'], pin_memory=False, persistent_workers=False)
    cfg.merge_from_dict(
        {
            'work_dir': str(folder),
            'train_cfg.max_epochs': epochs,
            'train_dataloader.dataset.indices': 192,
            'train_dataloader.batch_size': 32,
            'log_level': 'ERROR',
            'resume': resume,
            'experiment_name': f'distiller-{path.stem}-{folder.name}-{epochs}',
            **{f'model.{name}': value for name, value in model.items()},
        }
    )
    if not validate:
        cfg.val_dataloader = cfg.val_cfg = cfg.val_evaluator = None
    cfg.default_hooks.checkpoint.save_best = None
    return Runner.from_cfg(cfg)


@pytest.mark.parametrize('name', CONFIGS)
def test_trains_and_every_loss_reaches_the_student(name, teachers, tmp_path):
    teacher = teachers(name.split('_')[2])
    cfg = Config.fromfile(ROOT / 'distill' / name).model
    several = 'teacher_ckpt' not in cfg or cfg.teacher_ckpt is None
    options = {'teacher.teacher_ckpts': [teacher, teacher]} if several else {'teacher_ckpt': teacher}
    run, watch = runner(ROOT / 'distill' / name, tmp_path, **options), Gradients()
    run.register_hook(watch)
    run.train()
    assert watch.reached
    assert all(watch.reached.values()), watch.reached
    assert all(torch.isfinite(loss).all() for loss in watch.losses.values())
    assert all(torch.isfinite(value).all() for value in run.model.state_dict().values())


def test_every_config_is_safe():
    """A checked teacher, and a validation that does not change the student's weights."""
    for path in ROOT.parent.rglob('*.py'):
        for name in ("'SingleTeacherDistill'", "'OverhaulFeatureDistillation'", 'SingleTeacherDistillValLoop'):
            assert name not in path.read_text(), path
    for path in (ROOT / 'distill').glob('*_digits.py'):
        cfg = Config.fromfile(path)
        if 'teacher' in cfg.model:
            assert cfg.model.type in SAFE, path
            assert cfg.get('val_cfg') in (dict(type='icckd_mm.DistillValLoop'), None), path


@functools.cache
def documented():
    """Losses by method and family, as docs/first_batches.md has them."""
    _, _, table = first_batch.DOCS.read_text().partition(first_batch.MARK)
    head, _, *rows = ([cell.strip(' `') for cell in line.split('|')[1:-1]] for line in table.strip().splitlines())
    cells = {(row[0], family): cell for row in rows for family, cell in zip(head[1:], row[1:]) if cell != '-'}
    return {key: {name: float(value) for name, value in map(str.split, cell.split(', '))} for key, cell in cells.items()}


def cell_of(path):
    return path.stem.split('_')[0], first_batch.FAMILIES[path.stem.split('_')[-3]]


def test_the_table_of_the_documentation_has_every_config():
    assert documented().keys() == {cell_of(path) for path in first_batch.CONFIGS}


@pytest.mark.parametrize(
    'path',
    [
        pytest.param(path, marks=() if path.stem.split('_')[-3] == 'resnet8' else pytest.mark.slow, id=path.stem)
        for path in first_batch.CONFIGS
    ],
)
def test_a_first_batch_gives_what_the_documentation_says(path):
    assert first_batch.first_losses(path) == pytest.approx(documented()[cell_of(path)], rel=2e-3)


MIXES = ('icckd-kd-rkd_', 'icckd-kd-crd_', 'icckd-dkd-at_', 'icckd-dist-fitnet-ckd_')


@pytest.mark.parametrize('name', [name for name in CONFIGS if name.startswith(MIXES) and 'resnet20' in name])
def test_a_mix_learns_resumes_and_evaluates(name, teachers, tmp_path):
    """A loss that falls, one more epoch after a resume, and the accuracies of student and teacher."""
    options = dict(teacher_ckpt=teachers('resnet20'))
    length = 9 if 'crd' in name else 3  # CRD's loss rises first, while its memory of random rows fills with features
    first = runner(ROOT / 'distill' / name, tmp_path, epochs=length, validate=True, **options)
    first.train()
    keys = [key for key in first.message_hub.log_scalars if key.startswith('train/distill.')]
    for key in keys:
        epochs = first.message_hub.get_scalar(key).data[0].reshape(length, -1).mean(axis=1)
        assert epochs[-1] < (0.95 * epochs.max() if 'crd' in key else epochs[0]), key
    second = runner(ROOT / 'distill' / name, tmp_path, epochs=length + 1, validate=True, resume=True, **options)
    second.train()
    assert second.iter == 6 * (length + 1)
    assert second.message_hub.get_scalar(keys[0]).data[0].shape == (second.iter,)
    assert second.message_hub.get_scalar('val/accuracy/top1').current() >= 0
    assert second.message_hub.get_scalar('val/teacher.accuracy/top1').current() > 0


RESUMED = ('hard-label', 'lskd', 'dkd-lskd', 'sdd', 'dkd-sdd', 'ttm', 'wttm', 'nkd', 'uskd', 'wkd', 'mlkd', 'kd-2view', 'ctkd')


@pytest.mark.slow
@pytest.mark.parametrize('method', RESUMED)
def test_a_resumed_run_is_the_uninterrupted_one_and_the_teacher_stays_as_it_is(method, teachers, tmp_path):
    """The second epoch from the checkpoint of the first, bit by bit: weights, parameters of losses and optimiser."""
    (path,) = [
        path
        for path in (ROOT / 'distill').glob('*resnet8_1xb64_digits.py')
        if method in path.stem.split('_')[0].split('icckd-')
    ]
    options = {} if method == 'uskd' else dict(teacher_ckpt=teachers('resnet20'))
    whole = runner(path, tmp_path / 'whole', epochs=2, **options)
    (hook,) = [hook for hook in whole.hooks if type(hook).__name__ == 'ExactCheckpointHook']
    hook.max_keep_ckpts = -1
    whole.train()
    (tmp_path / 'second').mkdir()
    shutil.copy(tmp_path / 'whole/epoch_1.pth', tmp_path / 'second/epoch_1.pth')
    (tmp_path / 'second/last_checkpoint').write_text(str(tmp_path / 'second/epoch_1.pth'))
    second = runner(path, tmp_path / 'second', epochs=2, resume=True, **options)
    second.train()
    assert (second.iter, whole.iter) == (12, 12)
    expected, found = (torch.load(tmp_path / name / 'epoch_2.pth', weights_only=False) for name in ('whole', 'second'))
    assert equal(found['state_dict'], expected['state_dict'])
    for key, state in expected['optimizer']['state'].items():
        assert torch.equal(found['optimizer']['state'][key]['momentum_buffer'], state['momentum_buffer'])
    if options:
        teacher = torch.load(options['teacher_ckpt'], weights_only=False)['state_dict']
        assert equal(second.model.teacher.state_dict(), {key: value for key, value in teacher.items() if 'icc_loss' not in key})
    before = torch.load(tmp_path / 'whole/epoch_1.pth', weights_only=False)['state_dict']
    learnt = [name for name, _ in second.model.named_parameters() if 'distill_losses' in name]
    assert bool(learnt) == (method in ('uskd', 'ctkd'))
    assert not any(torch.equal(before[name], expected['state_dict'][name]) for name in learnt)
