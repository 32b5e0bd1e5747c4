"""Finds typing mistakes in a config before anything is built: unknown types, and arguments that no constructor accepts."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from typing import Any

from mmengine.config import Config

from icckd_mm.config.distiller import check_distiller
from icckd_mm.config.schema import BUILT, DICTS, Keys, Path, dotted, is_built_here, known_keys
from icckd_mm.config.types import CERTAIN, NEAR, find_types, near_types

SHOWN = 12


def check_config(cfg: Config) -> None:
    """Resolve every type of a config and compare its arguments with the constructor's.

    A dict whose use cannot be known is accepted. Missing arguments are left to the constructors, since builders fill in
    many. Nothing is built.

    Args:
        cfg: The complete config.

    Raises:
        ValueError: If a type or argument is unknown, or a value is of the wrong kind; names the key, the value and the nearest
            valid name.
    """
    for name in ('model', *DICTS):
        if not isinstance(cfg.get(name), Mapping) and (name == 'model' or cfg.get(name) is not None):
            raise ValueError(f'{name} must be a dict, got {cfg.get(name)!r}; correct it in the config')
    seed = (cfg.get('randomness') or {}).get('seed')
    if not isinstance(seed, (int, type(None))):
        raise ValueError(f'randomness.seed must be an integer, got {seed!r}; or None, which draws one')
    scope = cfg.get('default_scope') or 'mmengine'
    for name in [name for name in cfg if name in BUILT]:
        if isinstance(cfg[name], (Mapping, list, tuple)):
            _walk(cfg[name], (name,), scope)
    _check_distillation(cfg.model, scope)
    for name, hook in (cfg.get('default_hooks') or {}).items():
        if hook is not None and 'type' not in hook:
            near = _did_you_mean(name, [other for other in cfg.default_hooks if other != name])
            raise ValueError(f'default_hooks.{name} has no type; add it, or correct the name: {near}')


def _check_distillation(model: Mapping[str, Any], scope: str) -> None:
    for part in ('distiller', 'generator_distiller'):
        if isinstance(model.get(part), Mapping):
            check_distiller(model[part], model[part].get('_scope_') or model.get('_scope_') or scope, f'model.{part}')


def unknown_key(path: Path, key: object, keys: Keys) -> str:
    """The message about an unknown key."""
    return f'{dotted((*path, key))}: {keys.owner} has no argument {key}; {_did_you_mean(str(key), keys.names)}'


def resembles(name: str, known: Collection[Any], cutoff: float) -> bool:
    """Whether a name is nearly a known one."""
    return bool(difflib.get_close_matches(name, [str(one) for one in known], cutoff=cutoff))


def _did_you_mean(name: str, known: Collection[Any]) -> str:
    names = sorted(str(one) for one in known if not str(one).startswith('_'))
    near = difflib.get_close_matches(name, names, n=1, cutoff=NEAR)
    shown = ', '.join(names[:SHOWN]) + (f' and {len(names) - SHOWN} more' if len(names) > SHOWN else '')
    return (f'did you mean {near[0]}? ' if near else '') + f'It takes {shown}'


def _walk(node: Any, path: Path, scope: str) -> None:
    if isinstance(node, Mapping):
        scope = node.get('_scope_') or scope
        if 'type' in node:
            _check_type(node['type'], path, scope)
        keys = known_keys(node, path, scope)
        for key in node if keys else ():
            if keys and key not in keys.names and resembles(str(key), keys.names, keys.cutoff):
                raise ValueError(unknown_key(path, key, keys))
        for key, value in node.items():
            if key != 'metainfo':
                _walk(value, (*path, key), scope)
    elif isinstance(node, (list, tuple)):
        for index, value in enumerate(node):
            _walk(value, (*path, index), scope)
    elif isinstance(node, float) and math.isnan(node):
        raise ValueError(f'{dotted(path)} is nan; write a number')


def _check_type(name: Any, path: Path, scope: str) -> None:
    if callable(name) or (not isinstance(name, str) and not is_built_here(path)):
        return
    if not isinstance(name, str):
        raise ValueError(f'{dotted(path)}.type must be a name or a class, got {name!r}')
    if find_types(name, scope):
        return
    near = near_types(name, scope)
    # elsewhere a dict with a type may be an argument that means something else
    bare = [one.rpartition('.')[2] for one in near]
    if is_built_here(path) or (name[:1].isupper() and resembles(name, bare, CERTAIN)):
        hint = f'did you mean {" or ".join(near)}?' if near else 'check the name, or import its module with custom_imports'
        raise ValueError(f'{dotted(path)}: there is no type {name} in the scope {scope}; {hint}')
