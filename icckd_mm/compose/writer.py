"""Writes configs that state only what differs from their bases."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmengine.config import Config

from icckd_mm.compose.literals import WIDTH, Reference, literal

DELETE = '_delete_'
BASE = '_base_.'
LOCAL = ''  # where references find the keys of the config itself


def config_text(entries: Mapping[str, Any], note: str = '') -> str:
    """The text of a config file, formatted as the configs of this project.

    Args:
        entries: What is assigned, in order: names, also dotted ones such as ``_base_.resnet8.head.num_classes``, and values
            made of dicts, lists, strings, numbers, None and ``Reference``.
        note: A comment at the top, without ``#``; long lines are wrapped.

    Returns:
        Python.

    Raises:
        TypeError: If a value has another type.

    Example:
        >>> print(config_text(dict(_base_='kd.py', model=dict(teacher=Reference('_base_.resnet20'))), 'From here'), end='')
        # From here
        _base_ = 'kd.py'
        <BLANKLINE>
        model = dict(teacher=_base_.resnet20)
    """
    lines = [f'# {line}' for given in note.splitlines() for line in textwrap.wrap(given, WIDTH - 3)]
    for name, value in entries.items():
        lines.append(f'{name} = {literal(value, len(name) + 3)}')
        if name == '_base_' and isinstance(value, str):
            lines.append('')
    return '\n'.join(lines).rstrip('\n') + '\n'


def write_config(bases: Sequence[str], wanted: Mapping[str, Any], path: Path, note: str = '') -> None:
    """Write a config that states only what differs from its bases; see :func:`differing` and :func:`config_text`.

    Args:
        bases: Its bases.
        wanted: What it sets.
        path: The new file; its folder must exist.
        note: A comment at the top.
    """
    named = {'_base_': bases[0] if len(bases) == 1 else list(bases)} if bases else {}
    text = config_text({**named, **differing(bases, wanted, path.parent)}, note)
    path.write_text(text, encoding='utf-8')


def differing(bases: Sequence[str], wanted: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """What a config must say that its bases do not say already.

    Args:
        bases: Paths relative to ``folder``, or ``package::name``; files that exist.
        wanted: Values that are merged over those of the bases as mmengine does it: dicts key by key unless they hold
            ``_delete_=True``, all else as a whole. A key ``_base_.resnet20.head.num_classes`` changes a value of a base before
            ``Reference('_base_.resnet20')`` reads it; other references name keys of ``wanted``.
        folder: Folder of the config.

    Returns:
        Entries for :func:`config_text`.

    Raises:
        KeyError: If a reference does not exist.
    """
    base = {**base_values(tuple(bases), folder), LOCAL: wanted}
    entries: dict[str, Any] = {}
    for key, value in wanted.items():
        if key.startswith(BASE):
            old = _value(base, key, NOTHING)
            rest = NOTHING if _same(_resolved(value, base), old) else value
        else:
            rest = difference(value, base.get(key), base, key in base)
        if rest is not NOTHING:
            entries[key] = rest
    return entries


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


def _value(base: Mapping[str, Any], name: str, *missing: Any) -> Any:
    """The value of a dotted name; if there is none, ``missing`` where it is given."""
    found: Any = base if name.startswith(BASE) else base[LOCAL]
    for key in name.removeprefix(BASE).split('.'):
        if missing and (not isinstance(found, Mapping) or key not in found):
            return missing[0]
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
