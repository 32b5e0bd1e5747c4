"""Finds the class or function that ``type`` names in a dict of a config."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from mmengine.registry import Registry, root

ROOTS = tuple(value for value in vars(root).values() if isinstance(value, Registry))
SUFFIXES = ('', 'Recorder', 'Delivery')  # mmrazor's managers append them
NEAR = 0.6  # of difflib: how near a name is to a mistyped one
CERTAIN = 0.8  # the same where the name may well be intended


def find_types(name: Any, scope: str) -> list[Callable]:
    """All classes and functions that a type may name; one name can be a transform and a layer.

    Args:
        name: Value of ``type``: a name, ``'scope.Name'``, or the class or function itself.
        scope: The scope in which it is built.

    Returns:
        The candidates, none if the name is unknown.

    Raises:
        ImportError: If it may be in a module that cannot be imported.
    """
    if callable(name):
        return [name]
    if not isinstance(name, str):
        return []
    prefix, _, bare = name.partition('.')
    if bare:
        found = _registered(bare, [registry for registry in _registries(prefix) if registry.scope == prefix])
    else:
        found = _registered(name, _registries(scope))
    if found:
        return found
    try:  # a path through modules, or one of ours that is imported only on demand
        target = root.MODELS.get(name if bare else f'{scope}.{name}')
    except RuntimeError:  # mmengine's word for unknown
        return []
    return [target] if callable(target) else []


def near_types(name: str, scope: str) -> list[str]:
    """Names, as written in this scope, that resemble an unknown one, best first."""
    own = {'mmengine', scope}
    known: dict[str, str] = {}
    prefix, _, bare = name.rpartition('.')
    for other in sorted({child for one in ROOTS for child in one.children} | own, key=lambda one: (one in own, one == prefix)):
        for registry in _registries(other):
            if other in (registry.scope, scope):
                names = [
                    one[: -len(suffix) or None] for one in registry.module_dict for suffix in SUFFIXES if one.endswith(suffix)
                ]
                known.update({one: one if registry.scope in own else f'{registry.scope}.{one}' for one in names})
    by_lower = {one.lower(): one for one in known}
    return [known[by_lower[one]] for one in difflib.get_close_matches(bare.lower(), by_lower, n=3, cutoff=NEAR)]


def _registries(scope: str) -> tuple[Registry, ...]:
    """The registries of a scope: its children of mmengine's roots, or the roots, and its own without a parent."""
    if scope != 'mmengine' and f'{scope}.registry' not in sys.modules:
        try:
            import_module(f'{scope}.registry')
        except ImportError:
            return ROOTS  # as mmengine does
    members = vars(sys.modules[f'{scope}.registry']).values() if scope != 'mmengine' else ()
    alone = [one for one in members if isinstance(one, Registry) and one.parent is None and one.scope == scope]
    return tuple(dict.fromkeys([*(one.children.get(scope, one) for one in ROOTS), *alone]))


def _registered(name: str, registries: Iterable[Registry]) -> list[Callable]:
    found: list[Callable] = []
    for registry in registries:
        registry.import_from_location()
        node: Registry | None = registry
        while node is not None:
            targets = [node.module_dict[name + suffix] for suffix in SUFFIXES if name + suffix in node.module_dict]
            found += [target for target in targets if target not in found]
            node = None if targets else node.parent
    return found
