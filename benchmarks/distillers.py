"""Cost of a training step by distiller, composed for a pair of the benchmark at its published settings, against plain KD."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.structures import DataSample

from benchmarks.measure import Case, Setting, measure
from benchmarks.runs import CONFIGS
from icckd_mm.compose.distillers import mix
from icckd_mm.compose.inspection import inspect_network
from icckd_mm.compose.layers import NetworkLayers
from icckd_mm.compose.parts import Pair

NAMES = ('kd', 'sp', 'pkt', 'vid', 'cc', 'nst', 'reviewkd', 'wkd-f', 'simkd', 'ofa', 'dot')
PREPROCESSOR = dict(type='mmpretrain.ClsDataPreprocessor', mean=[129.31, 124.11, 112.40], std=[68.21, 65.41, 70.41])


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One table; the quick mode has small networks and two distillers."""
    networks, names, batch = (
        (('resnet20', 'resnet8'), NAMES[:2], 4) if setting.quick else (('resnet32x4', 'resnet8x4'), NAMES, 64)
    )
    teacher, student = (Config.fromfile(CONFIGS / f'_base_/models/{name}.py')[name] for name in networks)
    pair = Pair(_layers(teacher), _layers(student), networks, 'cifar', 50000)
    samples = [DataSample().set_gt_label(number % 100) for number in range(batch)]
    data = dict(inputs=[torch.randint(256, (3, 32, 32), dtype=torch.uint8) for _ in samples], data_samples=samples)
    cases = {name: Case(_step(name, pair, teacher, student, data, setting.device), images=batch) for name in names}
    return [measure(f'Distillers, {networks[0]} to {networks[1]}, B={batch}', cases, setting, rounds=3)]


def _layers(network: ConfigDict) -> NetworkLayers:
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return inspect_network(MODELS.build(network), torch.randn(2, 3, 32, 32))


def _step(name: str, pair: Pair, teacher: ConfigDict, student: ConfigDict, data: dict, device: str) -> Any:
    """A training step of a distiller from a random teacher."""
    parts = mix([name], pair)
    whole = Config(
        dict(student=student, optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.05, momentum=0.9, weight_decay=5e-4)))
    )
    whole.merge_from_dict(dict(student=parts.architecture, **parts.config))
    whole.student.head.loss.loss_weight = parts.ce_weight
    algorithm = dict(type='icckd_mm.SafeTeacherDistill', _scope_='mmrazor', data_preprocessor=PREPROCESSOR)
    algorithm.update(architecture=whole.student, teacher=teacher, allow_random_teacher=True, distiller=parts.distiller())
    model = MODELS.build({**algorithm, **parts.algorithm}).to(device).train()
    return partial(model.train_step, data, build_optim_wrapper(model, whole.optim_wrapper))
