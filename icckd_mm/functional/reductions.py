"""From one loss an image to what is returned."""

from __future__ import annotations

from torch import Tensor

REDUCTIONS = ('mean', 'sum', 'none')


def check_reduction(reduction: str) -> None:
    """Raise unless ``reduction`` is one of ``'mean'``, ``'sum'``, ``'none'``.

    Raises:
        ValueError: Naming the value.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f'reduction must be one of {", ".join(REDUCTIONS)}, got {reduction!r}')


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Losses ``(B,)`` as they are, their sum, or their mean; the mean of no losses is 0 and keeps a gradient path."""
    if reduction == 'none':
        return losses
    return losses.sum() if reduction == 'sum' else losses.sum() / max(losses.numel(), 1)
