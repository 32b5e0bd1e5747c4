"""Converts objects of a run to plain containers and back."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from icckd_mm.engine.exact.log_history import pack_history


def without_functions(states: Any) -> Any:
    """States of schedulers without functions, which their constructors choose by the config (``OneCycleLR.anneal_func``)."""
    if isinstance(states, dict):
        return {name: without_functions(state) for name, state in states.items() if not callable(state)}
    return [without_functions(state) for state in states] if isinstance(states, list) else states


def to_plain(value: Any, path: str) -> Any:
    """``value`` in plain containers: numbers, strings, tensors, lists, tuples and dictionaries.

    Args:
        value: What to convert; numpy arrays and scalars, paths and mmengine's ``HistoryBuffer`` are known.
        path: Its path in the checkpoint, for the message.

    Returns:
        The same content, safe for ``torch.load(weights_only=True)``.

    Raises:
        TypeError: If an object cannot be stored safely.
    """
    if value is None or isinstance(value, (bool, str, bytes)) or type(value) in (int, float):
        return value
    if isinstance(value, torch.Tensor):
        return value.detach()  # a plain tensor, without attributes that torch.compile may have set
    if isinstance(value, (torch.Size, torch.dtype, torch.device)):
        return value
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, HistoryBuffer):
        return pack_history(value)
    if isinstance(value, dict):
        kind = OrderedDict if isinstance(value, OrderedDict) else dict
        plain: Any = kind((to_plain(key, path), to_plain(item, f'{path}.{key}')) for key, item in value.items())
        if hasattr(value, '_metadata'):  # module versions, which nn.Module.load_state_dict looks at
            plain._metadata = value._metadata
        return plain
    if isinstance(value, (list, tuple, set, frozenset)):
        items = [to_plain(item, f'{path}[{index}]') for index, item in enumerate(value)]
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, (int, float)):  # subclasses, such as enumerations
        return value + 0
    raise TypeError(
        f'{path} in the checkpoint is a {type(value).__module__}.{type(value).__qualname__}, which cannot be stored safely; '
        'keep numbers, strings, tensors, lists and dictionaries there'
    )
