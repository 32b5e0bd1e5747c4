"""Checks of the plain values that a checkpoint file hands to calls, dicts and sets."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import torch

KEY_KINDS = (bool, int, str, bytes, type(None), torch.dtype)
LARGEST_KEY = 2**60  # Python's hash of larger integers repeats, and equal hashes make a dict quadratic
LARGEST_KEY_IN_TUPLE = 2**31  # the hash of a tuple is easy to invert for larger ones
LONGEST_KEY = 8


class RefusedGlobalError(pickle.UnpicklingError):
    """A file asks for a class or function that has no place in a checkpoint; the message is its name."""


def instance(value: Any, *kinds: type) -> Any:
    """The value, if it has one of these very types.

    Args:
        value: Anything that a file made.
        *kinds: Allowed types; a subclass is refused, so that a numpy scalar does not pass for an int.

    Raises:
        pickle.UnpicklingError: If it has another type.
    """
    if type(value) not in kinds:
        raise pickle.UnpicklingError(f'a {type(value).__name__} where {" or ".join(kind.__name__ for kind in kinds)} is wanted')
    return value


def check_key(key: Any) -> Any:
    """The key of a dict or member of a set, if it is plain, or a short tuple of plain values.

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
    """A float, or a short number of numpy; not nan, whose hash is always the same up to Python 3.9."""
    short = isinstance(value, (np.bool_, np.integer, np.floating)) and value.dtype.itemsize <= 8
    return (type(value) is float or short) and value == value
