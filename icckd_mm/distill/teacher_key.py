"""Describes what a teacher's logits depend on, in words and digests."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import torch
from mmengine.runner import Runner
from torch import nn

from icckd_mm.datasets.files.fingerprint import image_facts
from icckd_mm.datasets.wrappers.nesting import innermost_configs, labelled_datasets, labels_of


def teacher_key(runner: Runner, model: Any, source: str, size: list[int], single_view: bool) -> dict[str, str]:
    """What the logits depend on, each part under a readable name.

    Args:
        runner: Before training.
        model: The distillation.
        source: Name of the layer that gives the logits.
        size: Shape of the first image as the teacher gets it.
        single_view: Whether all epochs share their images.
    """
    cfg, loader = runner.cfg, runner.train_dataloader
    data = cfg.train_dataloader['dataset'].to_dict()
    for inner in innermost_configs(data):
        inner.pop('data_root', None)  # the files may be in another folder
    labels = [labels_of(one).astype(np.int64) for one in labelled_datasets(loader.dataset)]
    return {
        'teacher': f'{digest(cfg.model.get("teacher"))} {_weights(model.teacher)}',
        'layer': source,
        'data set and pipeline': digest(data),
        **image_facts(loader.dataset),
        'labels': hashlib.sha256(b' '.join(one.tobytes() for one in labels)).hexdigest()[:16],
        'image size': 'x'.join(map(str, size)),
        'preprocessor': _preprocessor(model.data_preprocessor),
        'augmentation': 'none' if single_view else f'{type(loader).__name__}, seed {runner.seed}',
        'precision': _precision(cfg, model),
    }


def digest(value: Any) -> str:
    """A short digest of plain values."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _weights(teacher: nn.Module) -> str:
    found = hashlib.sha256()
    for name, value in sorted(teacher.state_dict().items()):
        found.update(name.encode() + value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _preprocessor(module: nn.Module) -> str:
    """The preprocessor as it was built: a config may leave it to that of the student."""
    plain = (bool, int, float, str, tuple, list, type(None))
    settings = {name: value for name, value in vars(module).items() if name[0] != '_' and isinstance(value, plain)}
    settings.pop('training')
    buffers = {name: value.tolist() for name, value in module.named_buffers()}
    return digest([type(module).__name__, settings, buffers])


def _precision(cfg: Any, model: Any) -> str:
    wrapper = cfg.optim_wrapper
    parts = [
        wrapper.get('type', 'OptimWrapper'),
        wrapper.get('dtype'),
        getattr(model, 'teacher_dtype', None),
        'channels last' * getattr(model, 'teacher_channels_last', False),
    ]
    return ', '.join(str(part) for part in parts if part)
