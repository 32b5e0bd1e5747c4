"""mmrazor 1.0.0 raises Python's recursion limit to a million when it is imported.

Applies: always. With that limit deeply nested JSON, YAML or Python text overflows the stack and ends the interpreter, where it
would be a ``RecursionError`` that names the file.
Changes: the earlier limit stays. If mmrazor's tracer needs more for a very deep network, call ``sys.setrecursionlimit``.
Upstream: none known.
"""

from __future__ import annotations

import sys
from types import ModuleType

from .import_hook import on_import

MODULES = ('mmrazor.structures.graph.channel_flow', 'mmrazor.models.task_modules.tracer.fx_tracer')
LIMIT = sys.getrecursionlimit()


def install() -> None:
    """Watches the modules that raise the limit while they are executed."""
    for name in MODULES:
        on_import(name, after=_restore)


def _restore(module: ModuleType) -> None:
    sys.setrecursionlimit(min(sys.getrecursionlimit(), LIMIT))
