"""Images per second of teachers and of students with KD, and their share of the device's bfloat16 rate.

The reference is a product of two square bfloat16 matrices, measured here. A step takes three passes (forward and
twice that backward), six with a second view, and one more for a teacher; elementwise work is not counted. Without "AMP"
a row is in single precision, convolutions in TF32 if the GPU has it. No CUDA graphs, nothing compiled.
"""

from __future__ import annotations

import copy
import tempfile
from typing import Any

import torch
from mmengine.registry import MODELS, DefaultScope
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.measure import Case, Setting, measure
from benchmarks.runs import classifier_run, runner_case, student_run
from icckd_mm.zoo.architectures import classifier_config

ICC = dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', margin=-1.0))
LOW = dict(teacher_dtype='bfloat16', teacher_channels_last=True)


def tables(setting: Setting) -> list[dict[str, Any]]:
    """The product of matrices, teachers, and students."""
    side = 8192 if setting.device != 'cpu' else 128 if setting.quick else 1024
    peak = product(side, setting)
    rate = peak['rows']['product']['flops_per_s']
    teachers = ['resnet8'] if setting.quick else ['wrn_40_2', 'resnet32x4']
    pairs = ['wrn40-2_wrn16-2_1xb64_cifar100', 'resnet32x4_resnet8x4_1xb64_cifar100']
    pairs = ['resnet20_resnet8_1xb64_digits'] if setting.quick else pairs
    return [peak, *(_teacher(arch, rate, setting) for arch in teachers), *(_student(pair, rate, setting) for pair in pairs)]


def product(side: int, setting: Setting) -> dict[str, Any]:
    """Rate of bfloat16 matrix products on the device."""
    first, second = (torch.randn(side, side, device=setting.device, dtype=torch.bfloat16) for _ in range(2))
    table = measure(
        f'Product of two {side}x{side} bfloat16 matrices', {'product': Case(lambda: first @ second)}, setting, rounds=20
    )
    row = table['rows']['product']
    row['flops_per_s'] = 2 * side**3 / (row['median_ms'] / 1e3)
    table['notes'] = [f'{row["flops_per_s"] / 1e12:.3g} TFLOP/s']
    return table


def forward_flops(model: dict, size: int) -> int:
    """Operations of a pass of one image, two for a multiplication with its addition."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        built = MODELS.build(copy.deepcopy(model)).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        built(torch.zeros(1, 3, size, size), mode='tensor')
    return counter.get_total_flops()


def _teacher(arch: str, rate: float, setting: Setting) -> dict[str, Any]:
    batch, steps = (8, 1) if setting.quick else (64, 2 if setting.device == 'cpu' else 50)
    model = classifier_config(arch, 100)
    operations = forward_flops(model, 32)
    forms = {'cross-entropy': ([], 1, 3), "ICC, second_view='grad'": ([ICC], 2, 6)}
    with tempfile.TemporaryDirectory() as folder:
        cases = {}
        for lowered in _precisions(setting):
            for name, (hooks, views, _) in forms.items():
                config = classifier_run(model, batch * steps, hooks, views)
                cases[name + lowered] = runner_case(_in_precision(config, lowered), folder, batch, steps, setting.device)
        table = measure(f'Teacher on the device, {arch}, B={batch}', cases, setting, rounds=5)
    return _with_share(table, {name: passes * operations for name, (*_, passes) in forms.items()}, rate)


def _student(pair: str, rate: float, setting: Setting) -> dict[str, Any]:
    batch, steps = (8, 1) if setting.quick else (64, 2 if setting.device == 'cpu' else 50)
    model = student_run(f'kd_logits_{pair}', 1).model
    size = 16 if 'digits' in pair else 32
    operations = 3 * forward_flops(model.architecture, size) + forward_flops(model.teacher, size)
    forms = {'KD': {}, 'KD, teacher channels last': dict(teacher_channels_last=True), 'KD, teacher bfloat16 channels last': LOW}
    with tempfile.TemporaryDirectory() as folder:
        cases = {}
        for lowered in _precisions(setting):
            for name, options in forms.items() if not lowered else [('KD', {})]:
                config = student_run(f'kd_logits_{pair}', batch * steps)
                config.model.update(options)
                cases[name + lowered] = runner_case(_in_precision(config, lowered), folder, batch, steps, setting.device)
        table = measure(f'Student on the device, {pair}, B={batch}', cases, setting, rounds=5)
    return _with_share(table, dict.fromkeys(forms, operations), rate)


def _precisions(setting: Setting) -> list[str]:
    return [''] if setting.device == 'cpu' else ['', ', AMP bfloat16']  # mmengine's AMP refuses a CPU


def _in_precision(config: Any, lowered: str) -> Any:
    if lowered:
        config.optim_wrapper.update(type='AmpOptimWrapper', dtype='bfloat16')
    return config


def _with_share(table: dict[str, Any], operations: dict[str, int], rate: float) -> dict[str, Any]:
    """Add the share of the device's rate to each row, and print it."""
    table['notes'] = []
    for name, row in table['rows'].items():
        row['share_of_product'] = row['images_per_s'] * operations[name.partition(', AMP')[0]] / rate
        table['notes'].append(f'{name}: {row["share_of_product"]:.1%} of the product of matrices')
    return table
