"""Checks of plain values that a checkpoint file passes to calls, dicts and sets."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import torch

KEY_KINDS = (bool, int, str, bytes, type(None), torch.dtype)
LARGEST_KEY = 2**60  # larger integers can have equal hashes, which make a dict quadratic
LARGEST_KEY_IN_TUPLE = 2**31  # for longer tuples equal hashes are easy to construct
LONGEST_KEY = 8


class RefusedGlobalError(pickle.UnpicklingError):
    """A file asks for a class or function that is not allowed in a checkpoint; the message is its name."""


def instance(value: Any, *kinds: type) -> Any:
    """The value, if it has exactly one of these types.

    Args:
        value: Any object made from a file.
        *kinds: Allowed types; subclasses are refused, so that a numpy scalar does not count as an int.

    Raises:
        pickle.UnpicklingError: If it has another type.
    """
    if type(value) not in kinds:
        raise pickle.UnpicklingError(f'a {type(value).__name__}, not {" or ".join(kind.__name__ for kind in kinds)}')
    return value


def check_key(key: Any) -> Any:
    """The key of a dict or member of a set, if it is a plain value or a short tuple of plain values.

    A deep tuple would crash the interpreter when it is hashed, a long one or equal hashes would take hours.

    Raises:
        pickle.UnpicklingError: If it is anything else.
    """
    parts, limit = (key, LARGEST_KEY_IN_TUPLE) if type(key) is tuple else ((key,), LARGEST_KEY)
    if len(parts) > LONGEST_KEY:
        raise pickle.UnpicklingError(f'a key of {len(parts)} values')
    for part in parts:
        if type(part) not in KEY_KINDS and not (part is key and _is_number(part)):
            raise pickle.UnpicklingError(f'a {type(part).__name__} inside of a key')
        if type(part) is int and abs(part) > limit:
            raise pickle.UnpicklingError('a key that is a large integer')
    return key


def _is_number(value: Any) -> bool:
    """Check a float or numpy number; not nan, whose hash is constant up to Python 3.9."""
    short = isinstance(value, (np.bool_, np.integer, np.floating)) and value.dtype.itemsize <= 8
    return (type(value) is float or short) and value == value
