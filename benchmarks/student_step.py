"""Cost of a student's step by distiller, in mmengine's runner, against a bare loop of the same two networks with plain KD.

The last row reads cached logits of the teacher from the disk, without augmentation.
"""

from __future__ import annotations

import tempfile
from typing import Any

from benchmarks.measure import Setting, measure
from benchmarks.runs import BareLoop, runner_case, student_run

PAIRS = {
    'resnet20_resnet8_1xb64_digits': (
        'kd_logits', 'icckd-kd-rkd_logits-neck', 'icckd-dkd_logits', 'icckd-dist_logits', 'icckd-wsld_logits',
        'icckd-soft-ce_logits', 'icckd-kd-at_backbone', 'icckd-kd-fitnet_backbone', 'icckd-kd-pkd_backbone',
        'icckd-kd-crd_logits-neck', 'icckd-kd-fbkd_backbone', 'ckd_logits', 'pckd_logits-neck', 'ms_backbone',
    ),
    'resnet32x4_resnet8x4_1xb64_cifar100': (
        'kd_logits', 'icckd-kd-rkd_logits-neck', 'ckd_logits', 'pckd_logits-neck', 'ms_backbone',
        'lskd_logits', 'dkd-lskd_logits', 'sdd_logits', 'dkd-sdd_logits', 'ttm_logits', 'wttm_logits', 'nkd_logits',
        'wkd_logits', 'ctkd_logits', 'kd-2view_logits', 'mlkd_logits',
    ),
}  # fmt: skip


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One table per pair; the quick mode has one with few distillers."""
    if setting.quick:
        pair = next(iter(PAIRS))
        return [_table(pair, ('kd_logits', 'icckd-kd-rkd_logits-neck'), 8, 16, setting)]
    return [_table(pair, names, 64, 32 if 'cifar100' in pair else 16, setting) for pair, names in PAIRS.items()]


def _table(pair: str, names: tuple[str, ...], batch: int, size: int, setting: Setting) -> dict[str, Any]:
    steps = 50 if setting.device != 'cpu' else 1 if setting.quick or 'cifar100' in pair else 10
    steps = min(steps, 1437 // batch) if 'digits' in pair else steps
    with tempfile.TemporaryDirectory() as folder:
        model = student_run(f'kd_logits_{pair}', batch * steps).model
        cases = {'bare PyTorch, KD': BareLoop(model.architecture, model.teacher, batch, steps, size, setting.device).case()}
        for name in names:
            config = student_run(f'{name}_{pair}', batch * steps)
            cases[name] = runner_case(config, folder, batch, steps, setting.device)
        config = student_run(f'kd_logits_{pair}', batch * steps)
        config.train_dataloader.dataset.pipeline = [dict(type='PackInputs')]  # one view, which the first epoch collects
        config.custom_hooks = [dict(type='icckd_mm.TeacherCacheHook', folder=f'{folder}/logits')]
        cases['kd_logits, TeacherCacheHook'] = runner_case(config, folder, batch, steps, setting.device)
        return measure(f'Student step, {pair}, B={batch}', cases, setting, rounds=10)
