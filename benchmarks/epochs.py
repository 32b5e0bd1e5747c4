"""Overhead of mmengine's runner over a bare PyTorch loop of the same networks, batches and augmentation, for whole epochs."""

from __future__ import annotations

import tempfile
from typing import Any

from benchmarks.measure import Setting, aim, measure
from benchmarks.runs import BareLoop, classifier_run, runner_case, student_run
from icckd_mm.zoo.architectures import classifier_config

MOST = 1.05


def tables(setting: Setting) -> list[dict[str, Any]]:
    """Training with labels, and distillation."""
    batch = 8 if setting.quick else 64
    on_device = setting.device != 'cpu'
    plain, pair = ('resnet8', 'resnet20_resnet8_1xb64_digits') if setting.quick else (
        'resnet8x4', 'resnet32x4_resnet8x4_1xb64_cifar100'
    )  # fmt: skip
    return [
        _training(plain, batch, 100 if on_device else 2 if setting.quick else 4, setting),
        _distillation(pair, batch, 100 if on_device else 2, setting),
    ]


def _training(arch: str, batch: int, steps: int, setting: Setting) -> dict[str, Any]:
    model = classifier_config(arch, 100)
    return _compare(f'{arch}, labels only', model, None, classifier_run(model, batch * steps, [], 1), batch, steps, setting)


def _distillation(pair: str, batch: int, steps: int, setting: Setting) -> dict[str, Any]:
    config = student_run(f'kd_logits_{pair}', batch * steps)
    return _compare(f'KD, {pair}', config.model.architecture, config.model.teacher, config, batch, steps, setting)


def _compare(what: str, student: dict, teacher: Any, config: Any, batch: int, steps: int, setting: Setting) -> dict[str, Any]:
    size = 16 if 'digits' in what else 32
    with tempfile.TemporaryDirectory() as folder:
        cases = {
            'bare PyTorch loop': BareLoop(student, teacher, batch, steps, size, setting.device).case(),
            'mmengine with DeviceLoader': runner_case(config, folder, batch, steps, setting.device),
        }
        table = measure(f'Epochs of {steps} steps, {what}, B={batch}', cases, setting, rounds=10)
    aim(table, 'runner / bare loop', table['rows']['mmengine with DeviceLoader']['ratio'], MOST)
    return table
