"""Text of config files."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

WIDTH = 128


class Reference(str):
    """A name that a config reads, such as ``_base_.resnet8``; written without quotes."""

    __slots__ = ()


def config_text(entries: Mapping[str, Any], note: str = '') -> str:
    """The text of a config file.

    Args:
        entries: What is assigned, in order: names, also dotted ones such as ``_base_.resnet8.head.num_classes``, and values
            made of dicts, lists, strings, numbers, None and :class:`Reference`.
        note: A comment at the top.

    Returns:
        Python, as a formatter leaves it.

    Example:
        >>> print(config_text(dict(_base_='kd.py', model=dict(teacher=Reference('_base_.resnet20'))), 'From here'), end='')
        # From here
        _base_ = 'kd.py'
        <BLANKLINE>
        model = dict(teacher=_base_.resnet20)
    """
    lines = [f'# {line}' for line in textwrap.wrap(note, WIDTH - 3)]
    for name, value in entries.items():
        lines.append(f'{name} = {_rendered(value, 0, len(name) + 3)}')
        if name == '_base_' and isinstance(value, str):
            lines.append('')
    return '\n'.join(lines) + '\n'


def _rendered(value: Any, indent: int, before: int) -> str:
    """The value in one line if it fits after ``before`` columns, else an element a line."""
    flat = _flat(value)
    if indent + before + len(flat) + 1 <= WIDTH or not isinstance(value, (dict, list, tuple)) or not value:
        return flat
    space, inner = ' ' * indent, ' ' * (indent + 4)
    opening, closing = ('dict(', ')') if isinstance(value, dict) else ('[', ']')
    if isinstance(value, dict):
        items = [f'{key}={_rendered(item, indent + 4, len(key) + 1)}' for key, item in value.items()]
    else:
        items = [_rendered(item, indent + 4, 0) for item in value]
    return '\n'.join([opening, *(f'{inner}{item},' for item in items), f'{space}{closing}'])


def _flat(value: Any) -> str:
    """The value in one line."""
    if isinstance(value, Reference):
        return str(value)
    if isinstance(value, dict):
        return f'dict({", ".join(f"{key}={_flat(item)}" for key, item in value.items())})'
    if isinstance(value, (list, tuple)):
        return f'[{", ".join(map(_flat, value))}]'
    return repr(value)
