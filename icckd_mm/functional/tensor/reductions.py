"""Reductions of per-image losses."""

from __future__ import annotations

from torch import Tensor

REDUCTIONS = ('mean', 'sum', 'none')


def check_reduction(reduction: str) -> None:
    """Raise unless ``reduction`` is one of ``'mean'``, ``'sum'``, ``'none'``.

    Raises:
        ValueError: If not; names the value.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f'reduction must be one of {", ".join(REDUCTIONS)}, got {reduction!r}')


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Losses ``(B,)`` unchanged, their sum, or their mean; the mean of no losses is 0 with a gradient path."""
    if reduction == 'none':
        return losses
    return losses.sum() if reduction == 'sum' else mean_of(losses)


def mean_of(entries: Tensor) -> Tensor:
    """The mean of all entries; the mean of none, as of an empty batch, is 0 with a gradient path."""
    return entries.sum() / max(entries.numel(), 1)
