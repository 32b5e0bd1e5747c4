"""From networks, data and methods to configs that run: :func:`compose`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from icckd_mm.compose.composition import Composition, compose

__all__ = ['Composition', 'compose']


def __getattr__(name: str) -> Any:
    if name in __all__:
        from icckd_mm.compose import composition  # heavy: it imports mmpretrain's models

        return getattr(composition, name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
