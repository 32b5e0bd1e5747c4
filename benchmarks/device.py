"""Images per second of teachers and of students with KD, their operations per second, and the share of a step that is ours.

The reference for operations is a product of two square bfloat16 matrices, measured here. A step takes three passes (forward and
twice that backward), six with a second view with gradient, and one more for a view without it or for a teacher; elementwise
work is not counted. The bare loop is the step of mdistiller in plain PyTorch: both networks, 0.1 CE + 0.9 KD, the loss read at
each step. In single precision convolutions run in TF32 if the GPU has it. No CUDA graphs.
"""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Callable

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import loss
from benchmarks.measure import Case, Setting, measure
from benchmarks.runs import BareLoop, classifier_run, runner_case, student_run
from icckd_mm.teacher.second_views import SECOND_VIEWS
from icckd_mm.zoo.architectures import classifier_config

Table = dict[str, Any]
HOOK = dict(type='icckd_mm.IntraClassContrastHook', loss=dict(type='icckd_mm.IntraClassContrastiveLoss', margin=-1.0))
PASSES = {'cross-entropy': 3, 'grad': 6, 'no_grad': 4, 'bank': 3}
OURS = 'ICC loss and queue alone'
BARE = 'bare PyTorch, KD'
TEACHERS = {  # options of the teacher's pass, beside a student in single precision
    'KD, teacher channels last': dict(teacher_channels_last=True),
    'KD, teacher bfloat16 channels last': dict(teacher_dtype='bfloat16', teacher_channels_last=True),
}


@dataclass(frozen=True)
class Form:
    """How a step is computed.

    Attributes:
        name: Its name in tables.
        dtype: Autocast to it; None is single precision.
        channels_last: Whether weights use this memory format.
        options: Further options of a run's config.
        rows: The rows that are measured; all if empty.
    """

    name: str
    dtype: torch.dtype | None = None
    channels_last: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    rows: tuple[str, ...] = ()


AMP = torch.bfloat16
FP32 = Form('fp32')
FORMS = (
    Form('bfloat16', AMP),
    FP32,
    Form('bfloat16, channels last', AMP, channels_last=True),
    Form('bfloat16, compiled', AMP, options={'compile': True}, rows=('cross-entropy', 'grad', 'KD')),
)
PAIRS = {'wrn40-2_wrn16-2': 'wrn_40_2', 'resnet32x4_resnet8x4': 'resnet32x4'}


def tables(setting: Setting) -> Iterator[Table]:
    """The product of matrices, and each pair, batch size and form."""
    for _, part in parts(setting):
        yield part()


def parts(setting: Setting) -> list[tuple[str, Callable[[], Table]]]:
    """The tables by name, in order of worth; each is measured when it is called."""
    side = 8192 if setting.device != 'cpu' else 128 if setting.quick else 1024
    found: list[tuple[str, Callable[[], Table]]] = [('product', partial(product, side, setting))]
    if setting.quick:
        return [*found, _part('resnet20_resnet8_1xb64_digits', 'resnet20', 8, FP32, setting)]
    forms = FORMS if setting.device != 'cpu' else (FP32,)  # mmengine's AMP refuses a CPU
    sizes = (64, 512) if setting.device != 'cpu' else (64,)
    for form in forms:
        for batch in sizes:
            found += [_part(f'{pair}_1xb64_cifar100', arch, batch, form, setting) for pair, arch in PAIRS.items()]
    return found


def product(side: int, setting: Setting) -> Table:
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


def _part(pair: str, arch: str, batch: int, form: Form, setting: Setting) -> tuple[str, Callable[[], Table]]:
    title = f'Steps on the device, {pair.partition("_1xb64")[0]}, B={batch}, {form.name}'
    return title, partial(_pair, title, pair, arch, batch, form, setting)


def _pair(title: str, pair: str, arch: str, batch: int, form: Form, setting: Setting) -> Table:
    steps = 1 if setting.quick else 2 if setting.device == 'cpu' else 30 if batch <= 64 else 10
    size = 16 if 'digits' in pair else 32
    student = student_run(f'kd_logits_{pair}', batch * steps)
    teacher = classifier_config(arch, 100)
    wanted = form.rows or (*PASSES, OURS, BARE, 'KD')
    with tempfile.TemporaryDirectory() as folder:

        def run(config: Config) -> Case:
            return runner_case(_in_form(config, form), folder, batch, steps, setting.device, form.channels_last)

        cases = {}
        for name in [name for name in PASSES if name in wanted]:
            hooks = [] if name == 'cross-entropy' else [dict(HOOK, second_view=name)]
            views = SECOND_VIEWS[name].loader_views if hooks else 1
            cases[name] = run(classifier_run(teacher, batch * steps, hooks, views))
        if OURS in wanted:
            shape = batch, 100, 32, teacher['head']['in_channels']
            cases[OURS] = loss.build(shape, setting.device)['ours, in-batch negatives']
        if BARE in wanted:
            networks = student.model.architecture, student.model.teacher
            cases[BARE] = BareLoop(*networks, batch, steps, size, setting.device, form.dtype, form.channels_last).case()
        cases['KD'] = run(student)
        for name, options in TEACHERS.items() if form.dtype is None else ():
            config = student_run(f'kd_logits_{pair}', batch * steps)
            config.model.update(options)
            cases[name] = run(config)
        table = measure(title, cases, setting, rounds=5)
    _add_shares(table, _operations(student.model, teacher, size))
    return table


def _in_form(config: Config, form: Form) -> Config:
    if form.dtype is not None:
        # bfloat16 needs no scale; without a scaler the host does not ask each step whether it overflowed
        config.optim_wrapper.update(type='AmpOptimWrapper', dtype='bfloat16', loss_scale=dict(enabled=False))
    config.merge_from_dict(copy.deepcopy(form.options))
    return config


def _operations(model: Any, teacher: dict, size: int) -> dict[str, int]:
    """Operations of each row per image."""
    learns = 3 * forward_flops(model.architecture, size) + forward_flops(model.teacher, size)
    once = forward_flops(teacher, 32)
    return {**{name: passes * once for name, passes in PASSES.items()}, **dict.fromkeys((BARE, 'KD', *TEACHERS), learns)}


def _add_shares(table: Table, operations: dict[str, int]) -> None:
    """Add each row's rate of operations, and the share of a step that is ours."""
    rows, notes = table['rows'], []
    for name in [name for name in rows if name in operations]:
        rows[name]['flops_per_s'] = rows[name]['images_per_s'] * operations[name]
    if OURS in rows:
        for name in ('grad', 'no_grad', 'bank'):
            share = rows[name]['ours'] = rows[OURS]['median_ms'] / rows[name]['median_ms']
            notes.append(f'{name}: {share:.1%} of the step is our loss with its queue')
    if BARE in rows:
        notes.append(f'KD in the runner: {rows["KD"]["median_ms"] / rows[BARE]["median_ms"]:.3f} times the bare loop')
    table['notes'] = notes
