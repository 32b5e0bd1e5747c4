"""Keeps weights that live in a file of their own out of an algorithm's checkpoints."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch import nn


def keep_out(model: nn.Module, child: str) -> None:
    """Leave a child out of ``state_dict`` and untouched by ``load_state_dict``, without a report of missing keys.

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
    """A checkpoint of another run may hold its own."""
    _drop(state_dict, f'{prefix}{child}.')


def _not_missing(child: str, module: nn.Module, incompatible_keys: Any) -> None:
    """The weights are in place already; loading would report them as missing."""
    missing = incompatible_keys.missing_keys
    missing[:] = [key for key in missing if not key.startswith((f'{child}.', f'module.{child}.'))]


def _drop(state_dict: dict, prefix: str) -> None:
    for key in [key for key in state_dict if key.startswith(prefix)]:
        del state_dict[key]
