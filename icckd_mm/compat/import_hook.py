"""Runs our code when a named module of a host package is executed, so that ``import icckd_mm`` need not import the host.

A finder at the head of ``sys.meta_path`` handles the registered names only: it lets the other finders find the module,
then gives that one spec a copy of the real loader whose ``exec_module`` calls us. The loader keeps its class and all other
methods, so sources, resources, ``importlib.reload`` and zipped packages work as before. Python 3.9 loads zip files in another
way: there nothing is called.
"""

from __future__ import annotations

import copy
import importlib
import sys
from collections.abc import Sequence
from functools import partial
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Callable

After = Callable[[ModuleType], None]
Around = Callable[[ModuleType, Callable[[], None]], None]

_AFTER: dict[str, list[After]] = {}
_AROUND: dict[str, Around] = {}


def on_import(name: str, after: After | None = None, around: Around | None = None) -> None:
    """Registers callbacks for the execution of one module; registering the same one again has no effect.

    Args:
        name: Full name of the module, such as ``'mmrazor.models.algorithms.base'``. It need not exist.
        after: Called with the module once it is executed, or at once if it is imported already.
            It is called again when the module is reloaded, so it must be idempotent.
        around: Called with the module and a function that executes it, instead of the plain execution.
            It has no effect on a module that is imported already.
    """
    if around is not None:
        _AROUND[name] = around
    if after is not None and after not in _AFTER.setdefault(name, []):
        _AFTER[name].append(after)
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    if after is not None and sys.modules.get(name) is not None:
        after(importlib.import_module(name))  # waits if another thread is still executing it


class _Finder(MetaPathFinder):
    """Finds registered modules with the other finders."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec that the other finders give, with a watched loader; None for a name that is not registered."""
        if fullname not in _AFTER and fullname not in _AROUND:
            return None
        for finder in sys.meta_path[sys.meta_path.index(self) + 1 :]:
            spec = finder.find_spec(fullname, path, target) if hasattr(finder, 'find_spec') else None
            if spec is not None:
                spec.loader = _watched(fullname, spec.loader)
                return spec
        return None


def _watched(name: str, loader: Loader | None) -> Loader | None:
    # Built-in modules share one loader class, a namespace package has no loader, the zip importer of Python 3.9 no exec_module.
    if loader is None or isinstance(loader, type) or not hasattr(loader, 'exec_module'):
        return loader
    watched = copy.copy(loader)  # a zip importer serves many modules: the original must not change
    vars(watched)['exec_module'] = partial(_execute, name, loader.exec_module)
    return watched


def _execute(name: str, exec_module: Callable[[ModuleType], None], module: ModuleType) -> None:
    around = _AROUND.get(name)
    if around is None:
        exec_module(module)
    else:
        around(module, partial(exec_module, module))
    for after in _AFTER.get(name, ()):
        after(module)
