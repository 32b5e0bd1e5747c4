"""Excludes a child with its own weights file from an algorithm's checkpoints."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn


def exclude_from_checkpoint(model: nn.Module, child: str) -> None:
    """Exclude a child from ``state_dict`` and ``load_state_dict``; its keys are not reported as missing.

    Args:
        model: Changed in place.
        child: Name of the child, such as ``'teacher'``.
    """
    model._register_state_dict_hook(partial(_saved, child))
    model._register_load_state_dict_pre_hook(partial(_given, child))
    model.register_load_state_dict_post_hook(partial(_not_missing, child))


def _saved(child: str, module: nn.Module, state_dict: dict, prefix: str, local_metadata: dict) -> None:
    _drop(state_dict, f'{prefix}{child}.')


def _given(child: str, state_dict: dict, prefix: str, *_: Any) -> None:
    """A checkpoint of another run may hold the child."""
    _drop(state_dict, f'{prefix}{child}.')


def _not_missing(child: str, module: nn.Module, incompatible_keys: Any) -> None:
    """The weights are loaded already; ``load_state_dict`` would report them as missing."""
    missing = incompatible_keys.missing_keys
    missing[:] = [key for key in missing if not key.startswith((f'{child}.', f'module.{child}.'))]


def _drop(state_dict: dict, prefix: str) -> None:
    for key in [key for key in state_dict if key.startswith(prefix)]:
        del state_dict[key]
