"""Builds the networks of a composition, finds their layers, and collects the parts of its students."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from torch import nn

from icckd_mm.compose.distillers import mix
from icckd_mm.compose.files import Setting
from icckd_mm.compose.given.methods import Methods
from icckd_mm.compose.given.networks import Network
from icckd_mm.compose.inspection import inspect_network
from icckd_mm.compose.layers import Layer, NetworkLayers
from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.config.errors import describe

LOOKED_AT = 2  # images of the batch that finds the layers


def build_network(network: Network) -> nn.Module:
    """Build a network with random weights.

    Raises:
        ValueError: If it cannot be built; names it.
    """
    try:
        with DefaultScope.overwrite_default_scope('mmpretrain'):
            return MODELS.build(Config(dict(model=network.model)).model)
    except Exception as error:  # whatever a constructor raises
        raise ValueError(f'{network.given} cannot be built: {describe(error)}') from error


def inspect_built(network: Network, model: nn.Module, size: int) -> NetworkLayers:
    """The layers of a network, by one batch of noise of the images' size.

    Raises:
        ValueError: If it cannot run on images of that size, or its logits were not found.
    """
    images = torch.rand(LOOKED_AT, 3, size, size, generator=torch.Generator().manual_seed(0))
    try:
        return inspect_network(model, images)
    except Exception as error:  # a network may fail in any way on a size
        raise ValueError(f'{network.given} does not run on images of {size}x{size}: {describe(error)}') from error


def pair_of(setting: Setting, layers: Mapping[str, NetworkLayers]) -> Pair:
    """Teacher and student for the distillers; of several teachers only the logits, which they share."""
    networks = setting.teachers[0], setting.student
    names = [network.benchmark for network in networks]
    teacher = layers['teacher']
    if len(setting.teachers) > 1:
        shared = Layer('logits', False, teacher.logits.shape)
        teacher = NetworkLayers(shared, replace(teacher.pooled, source=''), None, None, (), None)
    return Pair(
        teacher=teacher,
        student=layers['student'],
        names=(str(names[0]), str(names[1])) if None not in names and len(setting.teachers) == 1 else None,
        recipe=setting.data.recipe,
        train_images=setting.data.train_images,
        epochs=setting.schedule.epochs,
    )


def all_parts(methods: Methods, pair: Pair) -> dict[str, Parts]:
    """The parts of every student, and of the first stages that they start from.

    Raises:
        ValueError: If a distiller does not fit the pair; names the student.
    """
    found: dict[str, Parts] = {}
    waiting = list(methods.students.items())
    while waiting:
        name, distillers = waiting.pop(0)
        parts = mix(distillers, pair)
        if any(recorder['source'] == '' for recorder in parts.teacher_recorders.values()):
            raise ValueError(f'{name} reads features of the teacher, and several teachers share their logits alone; take kd')
        waiting += [(first, [first]) for first in parts.starts_from.values() if first not in found]
        found[name] = parts
    return found
