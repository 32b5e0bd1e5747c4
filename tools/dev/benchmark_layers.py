"""The layers of the benchmark's networks."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope

from icckd_mm.compose.inspection import inspect_network
from icckd_mm.compose.layers import NetworkLayers
from icckd_mm.compose.parts import Pair
from tools.dev.benchmark_types import Benchmark

BASES = Path(__file__).resolve().parents[2] / 'configs/_base_'


def variable(net: str) -> str:
    """Name of a network in the file of ``configs/_base_`` that has it."""
    return net.replace('-', '_')


@functools.cache
def _inspected(net: str, models: str, side: int, pools: int | None) -> NetworkLayers:
    cfg = Config.fromfile(BASES / f'{models}/{net}.py')[variable(net)]
    if pools is not None:
        cfg.backbone.pools = pools
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return inspect_network(MODELS.build(cfg), torch.randn(2, 3, side, side))


def pair_of(bench: Benchmark, teacher: str, student: str) -> Pair:
    """A pair as the distillers see it."""
    layers = []
    for net in (teacher, student):
        found = _inspected(net, bench.models, bench.side, bench.vgg_pools if net.startswith('vgg') else None)
        classes = found.num_classes if bench.classes is None else bench.classes
        layers.append(replace(found, logits=replace(found.logits, shape=(classes,))))
    return Pair(layers[0], layers[1], (teacher, student), bench.recipe, bench.train_images, bench.epochs)
