"""Replacements for numpy's and mmengine's functions in the pickles of checkpoint files with arrays or logs."""

from __future__ import annotations

import math
import pickle
import re
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer

from icckd_mm.compat.checkpoints.values import RefusedGlobalError, instance


class Array:
    """Replaces ``numpy.ndarray``; cannot be called, only passed to ``array``."""


def dtype(name: str, align: bool, copy: bool) -> np.dtype:
    """Replaces ``numpy.dtype``: booleans, numbers, strings; no structures, and no types of size zero."""
    if not re.fullmatch(r'[biufc][0-9]{1,2}|[SU][1-9][0-9]{0,5}', instance(name, str)):
        raise RefusedGlobalError(f'numpy.dtype of {name[:40]!r}')
    return np.dtype(name, copy=True)


def array(subtype: Any, shape: Any, kind: Any) -> np.ndarray:
    """Replaces numpy's ``_reconstruct``: an empty array, which ``restore_array`` fills."""
    if subtype is not Array:
        raise RefusedGlobalError('numpy reconstruction of a subclass')
    return np.empty(0, np.int8)


def scalar(kind: np.dtype, data: bytes) -> Any:
    """Replaces numpy's ``scalar``."""
    if not isinstance(kind, np.dtype) or len(instance(data, bytes)) != kind.itemsize:
        raise pickle.UnpicklingError('a scalar of numpy that does not fit its bytes')
    return np.frombuffer(data, kind)[0]


def restore_dtype(target: np.dtype, state: Any) -> None:
    """Sets the byte order; version, size and flags are not taken from the file."""
    own: Any = target.__reduce__()[2]
    if len(instance(state, tuple)) != len(own) or any(a is not b and a != b for a, b in zip(state[2:], own[2:])):
        raise RefusedGlobalError('numpy.dtype with fields')
    if state[1] not in ('<', '>', '|', '='):
        raise pickle.UnpicklingError('an unknown byte order')
    target.__setstate__((own[0], state[1], *own[2:]))  # type: ignore[attr-defined]


def restore_array(target: np.ndarray, state: Any) -> None:
    """Fills an array; the file must hold all its bytes."""
    _, shape, kind, fortran, data = instance(state, tuple)
    if not isinstance(kind, np.dtype) or kind.hasobject or type(data) is not bytes:
        raise RefusedGlobalError('numpy.ndarray of objects')
    if any(type(n) is not int or not 0 <= n < 2**31 for n in instance(shape, tuple)) or len(shape) > 32:
        raise pickle.UnpicklingError('an array whose shape is not a tuple of sizes')
    if math.prod(shape) * kind.itemsize != len(data) or math.prod(n or 1 for n in shape) >= 2**48:
        raise pickle.UnpicklingError(f'an array of shape {shape} and {kind} does not have {len(data)} bytes')
    filled: Any = (1, shape, kind, bool(instance(fortran, bool, int)), data)
    target.__setstate__(filled)


def restore_history(target: HistoryBuffer, state: Any) -> None:
    """Fills a log; its statistics are always those of the class."""
    log, count, length = (instance(state, dict)[name] for name in ('_log_history', '_count_history', 'max_length'))
    if any(type(part) is not np.ndarray or part.ndim != 1 or part.dtype.kind not in 'biuf' for part in (log, count)):
        raise pickle.UnpicklingError('a HistoryBuffer that does not hold two rows of numbers')
    if len(log) != len(count) or type(length) is not int:
        raise pickle.UnpicklingError('a HistoryBuffer whose values, counts and length do not fit')
    vars(target).update(_log_history=log, _count_history=count, max_length=length)
