#!/usr/bin/env python
"""Write the losses of the first batch of each distiller on the digits into docs/first_batches.md.

Run it after a change of a loss: ``python tools/dev/first_batch.py``. Student, teacher and connectors have the random weights of
seed 0, and the teacher's batch norm the statistics of the batch, so no training is needed. The batch is the first 64
training images without augmentation.
"""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DATASETS, MODELS, DefaultScope
from torch import Tensor, nn

import icckd_mm  # noqa: F401  # patches mmrazor before it is imported

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / 'docs/first_batches.md'
MARK = '<!-- From here on written by tools/dev/first_batch.py -->\n'
FAMILIES = {'resnet8': 'ResNet', 'wrn16-2': 'WRN', 'vgg8': 'VGG'}
# a generator makes the images; labels alone; a hook finds the subclasses before training
WITHOUT_BATCH = ('icckd-dafl_', 'icckd-dfad_', 'icckd-ab_', 'icckd-subclass_')
TRANSFORMERS = ('vit16', 'swin16')  # pairs with one of them have no column
CONFIGS = sorted(
    path
    for path in (ROOT / 'configs/icckd/distill').glob('*_digits.py')
    if path.name.startswith(('icckd-', 'byot_', 'uskd_'))
    and not path.name.startswith(WITHOUT_BATCH)
    and not any(network in path.name for network in TRANSFORMERS)
)


def first_losses(path: Path) -> dict[str, float]:
    """The distillation losses of the first batch.

    Args:
        path (Path): A config of this project on the digits.

    Returns:
        dict[str, float]: By name, without ``loss_``.
    """
    cfg = Config.fromfile(path)
    DefaultScope.overwrite_default_scope('mmpretrain')
    MMLogger.get_instance(f'first-batch-{path.stem}', log_level='ERROR')
    MessageHub.get_instance(f'first-batch-{path.stem}').update_info('epoch', 0)  # preview weights use the current one
    model = cfg.model
    model.data_preprocessor = cfg.data_preprocessor
    model.architecture.init_cfg = model.distiller.init_cfg = None  # results of a first stage
    if 'teacher' in model:
        model.allow_random_teacher = True
        if 'teachers' in model.teacher:
            model.teacher.teacher_ckpts = [None] * len(model.teacher.teachers)
        else:
            model.teacher_ckpt = None
    torch.manual_seed(0)
    built = MODELS.build(model)
    built.init_weights()
    dataset = DATASETS.build({**cfg.train_dataloader.dataset, 'pipeline': [dict(type='PackInputs')]})
    batch = built.data_preprocessor(default_collate([dataset[index] for index in range(64)]), True)
    if 'teacher' in model:
        settle(built.teacher, batch['inputs'])
    losses = built.train()(**batch, mode='loss')
    return {name[len('distill.loss_') :]: value.item() for name, value in losses.items() if name.startswith('distill.loss_')}


@torch.no_grad()
def settle(net: nn.Module, images: Tensor) -> None:
    """Give batch norm the statistics of the images; otherwise a deep random network overflows."""
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean
    net.train()(images, mode='tensor')
    net.eval()


def cells() -> dict[str, dict[str, str]]:
    """Losses in four digits, by method and family."""
    rows: dict[str, dict[str, str]] = {}
    for path in CONFIGS:
        losses = ', '.join(f'{name} {value:.4g}' for name, value in first_losses(path).items())
        student = path.stem.split('_')[-3]
        rows.setdefault(path.stem.split('_')[0], {})[FAMILIES[student]] = losses
    return rows


def main() -> None:
    """Write the table."""
    lines = ['| config | ' + ' | '.join(FAMILIES.values()) + ' |', '|---' * (1 + len(FAMILIES)) + '|']
    for method, row in cells().items():
        lines.append(f'| `{method}` | ' + ' | '.join(row.get(family, '-') for family in FAMILIES.values()) + ' |')
    prose, _, _ = DOCS.read_text(encoding='utf-8').partition(MARK)
    DOCS.write_text(f'{prose}{MARK}\n' + '\n'.join(lines) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
