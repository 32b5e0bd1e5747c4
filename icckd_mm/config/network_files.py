"""Compares the files of teachers and students with their networks before a runner is made."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from mmengine.runner.checkpoint import CheckpointLoader
from torch import Tensor

from icckd_mm.config.fast import is_address, is_at_hand
from icckd_mm.engine.loading.network_fit import IGNORED, check_network
from icckd_mm.engine.loading.wrapped_names import without_wrappers
from icckd_mm.randomness import preserved_randomness


def check_networks(cfg: Config) -> None:
    """Refuse a file of another network; the algorithm would, but only behind the log of environment and config.

    Args:
        cfg: The complete config. Files elsewhere than on this machine are left to the algorithm.

    Raises:
        ValueError: Naming the settings or weights that differ.
    """
    model = cfg.get('model')
    if not isinstance(model, dict) or not str(model.get('type')).startswith('icckd_mm.'):
        return
    ignored = (*IGNORED, *(model.get('ignore_keys') or ()))
    scope = model.get('_scope_') or cfg.get('default_scope')
    for place, config, file in _files(model):
        if is_address(file) or not is_at_hand(file):
            continue
        wanted = _shapes(config, scope)
        checkpoint = CheckpointLoader.load_checkpoint(file, map_location='cpu') if wanted else {}
        if not wanted or not isinstance(checkpoint, dict):
            continue
        meta = checkpoint.get('meta')
        check_network(
            file,
            _kept(without_wrappers(checkpoint.get('state_dict', checkpoint)), ignored),
            _kept(wanted, ignored),
            network=str(config.get('type')),
            stored=meta.get('cfg') if isinstance(meta, dict) else None,
            config=config,
            place=place,
        )


def _files(model: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Place and config of each network that starts from a file, and the file."""
    for place, key in (('teacher', 'teacher_ckpt'), ('architecture', 'student_ckpt')):
        if isinstance(model.get(place), dict) and isinstance(model.get(key), str):
            yield f'model.{place}', model[place], model[key]


def _shapes(config: dict[str, Any], scope: str | None) -> dict[str, Tensor]:
    """The weights of a network without their values; empty if it cannot be built without memory."""
    try:
        with preserved_randomness(), DefaultScope.overwrite_default_scope(scope), torch.device('meta'):
            return MODELS.build(copy.deepcopy(config)).state_dict()
    except Exception:  # what is wrong is said when it is built with memory
        return {}


def _kept(weights: dict[str, Any], ignored: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in weights.items() if not str(key).startswith(ignored)}
