"""Prints plain values as the configs of this project write them."""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

WIDTH = 128
STEP = 4


@dataclass(frozen=True)
class Reference:
    """A value of a base config by its name there, as ``_base_.resnet8x4``.

    Attributes:
        name: ``_base_.`` and the keys, with dots.
    """

    name: str


def literal(value: Any, before: int = 0, after: int = 0, indent: int = 0) -> str:
    """Source text of a value, on one line if it fits in 128 columns.

    Args:
        value: Numbers, strings, None, lists, tuples, dicts and ``Reference``.
        before: Columns in front of it on its first line, with the indent.
        after: Columns behind it on its last line.
        indent: Indent of the line in which it begins.

    Returns:
        The text; lines after the first are indented.

    Raises:
        TypeError: If a value has another type.

    Example:
        >>> literal(dict(type='SGD', lr=0.1, betas=(0.9,)))
        "dict(type='SGD', lr=0.1, betas=(0.9,))"
    """
    flat = _flat(value)
    if before + len(flat) + after <= WIDTH or not isinstance(value, (Mapping, list, tuple)) or not value:
        return flat
    inner, spaces = indent + STEP, ' ' * (indent + STEP)
    first, last, parts = _parts(value)
    body = ', '.join(key + _flat(one) for key, one in parts)
    if len(parts) > 1 and first.endswith('(') and first != '(' and inner + len(body) <= WIDTH:
        return f'{first}\n{spaces}{body}\n{" " * indent}{last}'
    comma = ',' if len(parts) > 1 or first == '(' else ''
    lines = [f'{spaces}{key}{literal(one, inner + len(key), len(comma), inner)}{comma}' for key, one in parts]
    return '\n'.join([first, *lines, ' ' * indent + last])


def _parts(value: Any) -> tuple[str, str, list[tuple[str, Any]]]:
    """Opening, closing, and the elements with their keys."""
    if isinstance(value, Mapping):
        if all(isinstance(key, str) and key.isidentifier() and not keyword.iskeyword(key) for key in value):
            return 'dict(', ')', [(f'{key}=', one) for key, one in value.items()]
        return '{', '}', [(f'{key!r}: ', one) for key, one in value.items()]
    opening, closing = '[]' if isinstance(value, list) else '()'
    return opening, closing, [('', one) for one in value]


def _flat(value: Any) -> str:
    if isinstance(value, Reference):
        return value.name
    if isinstance(value, (Mapping, list, tuple)):
        first, last, parts = _parts(value)
        comma = ',' if isinstance(value, tuple) and len(value) == 1 else ''
        return first + ', '.join(key + _flat(one) for key, one in parts) + comma + last
    if value is None or isinstance(value, (bool, int, float, str)):
        return repr(value)
    raise TypeError(f'a config holds plain values, got {type(value).__name__}: {value!r}')
