"""Writes a config that states only what differs from its bases."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from icckd_mm.compose.literals import Reference, literal

DELETE = '_delete_'
BASE = '_base_.'


def write_config(bases: Sequence[str], wanted: Mapping[str, Any], path: Path, comment: str = '') -> None:
    """Write a config; see :func:`config_text`.

    Args:
        bases: Its bases.
        wanted: What it sets.
        path: The new file; its folder must exist.
        comment: First lines, without ``#``.
    """
    path.write_text(config_text(bases, wanted, path.parent, comment), encoding='utf-8')


def config_text(bases: Sequence[str], wanted: Mapping[str, Any], folder: Path, comment: str = '') -> str:
    """Text of a config, without what its bases say already.

    Args:
        bases: Paths relative to ``folder``, or ``package::name``; files that exist.
        wanted: Values that are merged over those of the bases as mmengine does it: dicts key by key unless they hold
            ``_delete_=True``, all else as a whole. A key ``_base_.resnet20.head.num_classes`` changes a value of a base before
            ``Reference('_base_.resnet20')`` reads it.
        folder: Folder of the config.
        comment: First lines, without ``#``.

    Returns:
        The text, formatted as the configs of this project.

    Raises:
        KeyError: If a reference or a changed base does not exist.
    """
    base = base_values(tuple(bases), folder)
    lines = [f'# {line}' for line in comment.splitlines()]
    if bases:
        lines.append('_base_ = ' + literal(bases[0] if len(bases) == 1 else list(bases), len('_base_ = ')))
    lines += [''] if bases else []
    for key, value in wanted.items():
        changed = key.startswith(BASE)
        old = _value(base, key) if changed else base.get(key)
        if changed and _resolved(value, base) == old:
            continue
        rest = value if changed else difference(value, old, base, key in base)
        if rest is not NOTHING:
            lines.append(f'{key} = {literal(rest, len(key) + 3)}')
    return '\n'.join(lines).strip('\n') + '\n'


class _Nothing:
    """A difference that is empty; None is a value."""


NOTHING = _Nothing()


def difference(value: Any, old: Any, base: Mapping[str, Any], known: bool = True) -> Any:
    """The part of a value that changes what a base holds.

    Args:
        value: What is merged over the base.
        old: What the base holds.
        base: The whole base, for references.
        known: Whether the base has the key at all.

    Returns:
        The part; ``NOTHING`` if the base says all of it.
    """
    resolved = _resolved(value, base)
    if not known:
        return _without_delete(value)
    if not isinstance(value, Mapping) or not isinstance(old, Mapping):
        return NOTHING if _same(resolved, old) else _without_delete(value)
    if value.get(DELETE):
        return NOTHING if _same(_without_delete(resolved), old) else value
    parts = {key: difference(one, old.get(key), base, key in old) for key, one in value.items()}
    parts = {key: one for key, one in parts.items() if one is not NOTHING}
    return parts or NOTHING


def _same(one: Any, other: Any) -> bool:
    """Equal, and of one kind: ``True`` is not 1 and a list is not a tuple."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)) and type(one) is type(other):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other


def _without_delete(value: Any) -> Any:
    return {key: one for key, one in value.items() if key != DELETE} if isinstance(value, Mapping) else value


def _resolved(value: Any, base: Mapping[str, Any]) -> Any:
    if isinstance(value, Reference):
        return _value(base, value.name)
    if isinstance(value, Mapping):
        return {key: _resolved(one, base) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_resolved(one, base) for one in value)
    return value


def _value(base: Mapping[str, Any], name: str) -> Any:
    found: Any = base
    for key in name[len(BASE) :].split('.'):
        found = found[key]
    return found


@functools.lru_cache(maxsize=256)
def base_values(bases: tuple[str, ...], folder: Path) -> dict[str, Any]:
    """What some bases hold together; must not be changed.

    Args:
        bases: As in ``_base_``.
        folder: Folder of the config that names them.

    Returns:
        Plain dicts and lists.
    """
    together: dict[str, Any] = {}
    for name in bases:
        path, _ = Config._get_cfg_path(name, str(folder / 'config.py'))
        together.update(Config.fromfile(path).to_dict())
    return together
