"""Images per second of mmpretrain's per-image pipeline and from ``DeviceLoader``, crop and flip of CIFAR, uint8 batches."""

from __future__ import annotations

import copy
from typing import Any

import torch
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from benchmarks.measure import Case, Setting, aim, measure
from benchmarks.runs import PIPELINE, TWO_VIEWS, noise
from icckd_mm.datasets.device_loader import DeviceLoader

LEAST = 100_000  # images per second of one CPU thread


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One view of each image, and two."""
    return [_table('one view', PIPELINE, setting), _table('two views', TWO_VIEWS, setting)]


def _table(title: str, pipeline: list[dict], setting: Setting) -> dict[str, Any]:
    slow, fast = (64, 128) if setting.quick else (6400, 51200)
    cases = {f'torch DataLoader, {workers} workers': _torch_loader(slow, pipeline, workers) for workers in (0, 2)}
    cases['DeviceLoader'] = _device_loader(fast, pipeline, setting.device)
    table = measure(f'Data, {title}, 32x32, B=64', cases, setting, rounds=8, wall=True)
    if pipeline is PIPELINE:
        aim(table, 'images/s of DeviceLoader', table['rows']['DeviceLoader']['images_per_s'], least=LEAST)
    return table


def _torch_loader(images: int, pipeline: list[dict], workers: int) -> Case:
    config = dict(
        batch_size=64,
        num_workers=workers,
        persistent_workers=workers > 0,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='default_collate'),
        dataset=noise(images, pipeline),
    )
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        loader = Runner.build_dataloader(copy.deepcopy(config), seed=0)
    return _case(loader, images)


def _device_loader(images: int, pipeline: list[dict], device: str) -> Case:
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return _case(DeviceLoader(noise(images, pipeline), 64, device=torch.device(device)), images)


def _case(loader: Any, images: int) -> Case:
    return Case(lambda: sum(len(batch['data_samples']) for batch in loader), images=images, steps=-(-images // 64))
