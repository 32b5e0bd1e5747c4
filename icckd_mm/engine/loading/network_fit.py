"""Checks that the weights of a file are those of a network, and says which of both is the other one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from icckd_mm.engine.loading.config_differences import PARTS, as_options, in_words, network_differences
from icckd_mm.engine.loading.weights_fit import as_name

NAMED = 3  # weights in a message
IGNORED = ('icc_loss.', 'data_preprocessor.')  # the teacher's queue; statistics of the images are compared, not loaded


def check_network(
    path: str,
    given: Mapping[str, Any],
    wanted: Mapping[str, Tensor],
    *,
    network: str,
    stored: Any = None,
    config: Any = None,
    place: str = '',
) -> None:
    """Raise unless a file has every weight of a network in its shape, and no other.

    Args:
        path: The file, for the message.
        given: Its weights by name.
        wanted: Weights of the network by name; shapes are enough.
        network: The network, for the message.
        stored: ``meta.cfg`` of the file.
        config: The config of the network.
        place: Its key in the whole config.

    Raises:
        ValueError: If not; names some weights with both shapes, and the settings that differ.
    """
    shapes = [
        f'{as_name(key)} is {_shape(given[key])} in the file and {tuple(value.shape)} in the model'
        for key, value in wanted.items()
        if key in given and getattr(given[key], 'shape', None) != value.shape
    ]
    missing = [as_name(key) for key in wanted if key not in given]
    surplus = [as_name(key) for key in given if key not in wanted]
    faults = {'missing': missing, 'surplus': surplus, 'shape': shapes}
    if not any(faults.values()):
        return
    found = '; '.join(f'{name}: {_some(keys)}' for name, keys in faults.items() if keys)
    of_network = any(key.startswith(tuple(f'{part}.' for part in PARTS)) for keys in faults.values() for key in keys)
    settings = network_differences(stored, config) if of_network else []
    said = f': {in_words(settings)}' if settings else ''
    raise ValueError(
        f'{path} does not fit {place or network}{said}; {_advice(given, as_options(settings, place), bool(settings))}. {found}'
    )


def _shape(value: Any) -> str:
    return str(tuple(value.shape)) if isinstance(value, Tensor) else f'of type {type(value).__name__}'


def _advice(given: Mapping[str, Any], options: str, other_network: bool) -> str:
    if any(key.startswith('architecture.') for key in given):
        return 'it holds a whole distillation: extract its student first (keys that begin with "architecture.")'
    if other_network:
        change = options or 'copy the network of its config'
        return f'the file is of another network: give a file of this network, or change the config: {change}'
    return 'give the config that it was trained with, or name harmless keys in ignore_keys'


def _some(texts: list[str]) -> str:
    return ', '.join(texts[:NAMED]) + (f' and {len(texts) - NAMED} more' if len(texts) > NAMED else '')
