"""Finds typing mistakes in ``--cfg-options``: keys that nothing would read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.config import Config

from icckd_mm.config.check import check_config, resembles, unknown_key
from icckd_mm.config.schema import BUILT, TOP_LEVEL, Keys, Path, dotted, known_keys
from icckd_mm.config.types import CERTAIN

COPIES = 4  # places in a message


def apply_options(cfg: Config, options: Mapping[str, Any] | None) -> None:
    """Merge ``--cfg-options`` into a config, and check it before anything is built.

    The ``data_root`` of the test set follows that of the validation set where both were the same.

    Args:
        cfg: Changed in place.
        options: Dotted keys and their values.

    Raises:
        ValueError: If nothing reads a key, or the result is not a valid config.
    """
    if options:
        options = {**followers(cfg, options), **options}
        check_options(cfg, options)
        cfg.merge_from_dict(options)
    check_config(cfg)


def followers(cfg: Config, options: Mapping[str, Any]) -> dict[str, Any]:
    """The ``data_root`` of the test set, where it was that of the validation set and the options move only the latter.

    Args:
        cfg: The config without the options.
        options: Dotted keys and their values.
    """
    found = {}
    for option, value in options.items():
        if not option.startswith('val_dataloader.dataset.') or not option.endswith('.data_root'):
            continue
        twin = option.replace('val_', 'test_', 1)
        free = not any(twin == other or twin.startswith(f'{other}.') for other in options)
        if free and _at(cfg, option) is not None and _at(cfg, option) == _at(cfg, twin):
            found[twin] = value
    return found


def _at(cfg: Config, key: str) -> Any:
    node: Any = cfg
    for part in key.split('.'):
        node = node.get(part) if isinstance(node, Mapping) or node is cfg else None
    return node


def check_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Check each key against the config, before ``cfg.merge_from_dict``.

    A key that is not in the config yet is valid if it is an argument of the dict's type or of the runner, or if the options
    make a new dict with a type.

    Args:
        cfg: The config without the options; not changed.
        options: Dotted keys and their values.

    Raises:
        ValueError: If nothing would read a key, or it leads through a value without keys; names the nearest valid key.
    """
    for option, value in options.items():
        _check(cfg, option, value, options)


def _check(cfg: Config, option: str, value: Any, options: Mapping[str, Any]) -> None:
    node: Any = dict(cfg.items())
    path: Path = ()
    scope = cfg.get('default_scope') or 'mmengine'
    parts = option.split('.')
    if '' in parts:
        raise ValueError(f'--cfg-options {option}: a part of the key is empty; write it like train_cfg.max_epochs=2')
    _check_read(cfg, option, parts)
    for part in parts:
        if isinstance(node, (list, tuple)):
            _check_index(node, path, part, option)
            if len(path) + 1 == len(parts):  # mmengine can only merge dicts into a list
                raise ValueError(f'--cfg-options {option}: elements cannot be set one by one; write {dotted(path)}="[...]"')
            node, path = node[int(part)], (*path, int(part))
        elif isinstance(node, Mapping):
            scope = node.get('_scope_') or scope
            other = options.get('.'.join([*parts[: len(path)], 'type']))
            if path and other is not None:  # another type, with other arguments, is built there
                node = {**node, 'type': other}
            if part not in node:
                _check_new(node, path, part, value, scope, options)
                if any(later.isdigit() for later in parts[len(path) : len(path) + 2]):
                    raise ValueError(
                        f'--cfg-options {option}: {dotted((*path, part))} is not a list in the config; set the whole list'
                    )
                return
            node, path = node[part], (*path, part)
        elif node is None:  # a value to be set to a dict
            raise ValueError(f'--cfg-options {option}: {dotted(path)} is None in the config; set it there')
        else:
            raise ValueError(f'--cfg-options {option}: {dotted(path)} is {node!r}, which has no {part}; remove that part')
    several = isinstance(value, (list, tuple)) and value and all(isinstance(one, Mapping) for one in value)  # e.g. schedulers
    if isinstance(node, Mapping) and 'type' in node and not several and not isinstance(value, (Mapping, type(None))):
        raise ValueError(f'--cfg-options {option}: {value!r} cannot replace a dict; to build another type, set {option}.type')


def _check_read(cfg: Config, option: str, parts: list[str]) -> None:
    """Raise if the key leads into what was copied elsewhere when the config was read, or is overruled."""
    if parts[0] == 'data_preprocessor' and cfg.get('model', {}).get('data_preprocessor') is not None:
        raise ValueError(f'--cfg-options {option} has no effect: the model has its own; set model.{option}')
    if parts[0] in TOP_LEVEL or parts[0] not in cfg:
        return
    value = cfg[parts[0]]
    copies = [place for name in cfg if name in BUILT for place in _places_of(value, cfg[name], (name,))]
    rest = parts[1:]
    read = ' or '.join(dotted((*place, *rest)) for place in copies[:COPIES])
    more = f' and {len(copies) - COPIES} more' if len(copies) > COPIES else ''
    raise ValueError(
        f'--cfg-options {option} has no effect: {parts[0]} is a variable of the config file, '
        + (f'copied when the file was read; set {read}{more}' if read else 'which nothing reads; set what it was meant for')
    )


def _places_of(value: Any, node: Any, path: Path) -> list[Path]:
    """Where a config holds a value."""
    if type(node) is type(value) and node == value:
        return [path]
    items = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, (list, tuple)) else ()
    return [place for key, one in items for place in _places_of(value, one, (*path, key))]


def _check_index(node: Sequence[Any], path: Path, part: str, option: str) -> None:
    if not part.isdigit() or int(part) >= len(node):
        raise ValueError(
            f'--cfg-options {option}: {dotted(path)} is a list of {len(node)}; the next part must be an index from 0 to '
            f'{len(node) - 1}, got {part}'
        )


def _check_new(node: Mapping, path: Path, part: str, value: Any, scope: str, options: Mapping[str, Any]) -> None:
    """Raise if ``node`` cannot have a key ``part``."""
    here = dotted((*path, part))
    has_type = f'{here}.type' in options or (isinstance(value, Mapping) and 'type' in value)
    keys = known_keys(node, path, scope)
    if not path:
        wrong = part not in TOP_LEVEL
    elif keys:
        wrong = part not in keys.names and resembles(part, keys.names, keys.cutoff)
    elif has_type:
        wrong = False
    else:  # unknown; refused if it resembles its neighbours or is the only one without a type
        keys = Keys(frozenset(map(str, node)), dotted(path), 0)
        all_typed = bool(node) and all(isinstance(other, Mapping) and 'type' in other for other in node.values())
        wrong = all_typed or resembles(part, keys.names, CERTAIN)
    if wrong and keys:
        raise ValueError(f'--cfg-options {unknown_key(path, part, keys)}')
