"""Stores logs of a run as tensors: a list of 200,000 numbers takes seconds to write and read, a tensor does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer


def pack_history(buffer: HistoryBuffer) -> dict[str, Any]:
    """A log as two tensors and a length.

    Args:
        buffer: mmengine's log of one scalar: values, and how many of them each value stands for.

    Returns:
        ``values``, in single precision where that loses nothing; ``counts``, one where all are equal; ``max_length``.
    """
    values, counts = buffer.data
    if values.dtype == np.float64:
        with np.errstate(over='ignore'):
            single = values.astype(np.float32)
        values = single if np.array_equal(single, values, equal_nan=True) else values
    if len(counts) and np.all(counts == counts[0]):
        counts = counts[:1]
    tensors = (torch.from_numpy(np.array(part)) for part in (values, counts))  # copies: the log keeps growing
    return {**dict(zip(('values', 'counts'), tensors)), 'max_length': buffer.max_length}


def unpack_history(value: Any) -> Any:
    """A ``HistoryBuffer`` from the result of :func:`pack_history`; any other value is returned unchanged.

    Args:
        value: That result, or that of older versions, with lists.

    Returns:
        The buffer, with the values and types that were packed.
    """
    if not isinstance(value, dict) or set(value) != {'values', 'counts', 'max_length'}:
        return value
    parts = (value['values'], value['counts'])
    values, counts = (part.cpu().numpy() if isinstance(part, torch.Tensor) else np.array(part) for part in parts)
    if values.dtype == np.float32:
        values = values.astype(np.float64)
    if len(counts) == 1:
        counts = np.repeat(counts, len(values))
    return HistoryBuffer(values, counts, value['max_length'])
