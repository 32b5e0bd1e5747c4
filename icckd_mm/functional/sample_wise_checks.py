"""What the losses share: checks of numbers and pairs, and the reduction."""

from __future__ import annotations

import math

from torch import Tensor

from .checks import check_features, check_same_device
from .intra_class import REDUCTIONS


def check_positive(name: str, value: float, default: float | None = None) -> None:
    """Raise unless ``value`` is a finite number above 0.

    Raises:
        ValueError: Naming the value, and the default where it is given.
    """
    if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
        remedy = '' if default is None else f'; {default} is the default'
        raise ValueError(f'{name} must be a finite number above 0, got {value!r}{remedy}')


def check_weight(name: str, value: float, default: float | None = None) -> None:
    """Raise unless ``value`` is a finite number of at least 0.

    Raises:
        ValueError: Naming the value, and the default where it is given.
    """
    if not (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0):
        remedy = '0 switches the loss off' if default is None else f'{default} is the default'
        raise ValueError(f'{name} must be a finite number of at least 0, got {value!r}; {remedy}')


def check_count(name: str, value: int) -> None:
    """Raise unless ``value`` is an integer of at least 1.

    Raises:
        ValueError: Naming the value.
    """
    if not isinstance(value, int) or value < 1:
        raise ValueError(f'{name} must be an integer of at least 1, got {value!r}')


def check_reduction(reduction: str) -> None:
    """Raise unless ``reduction`` is one of ``'mean'``, ``'sum'``, ``'none'``.

    Raises:
        ValueError: Naming the value.
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f'reduction must be one of {", ".join(REDUCTIONS)}, got {reduction!r}')


def check_pairs(**rows: Tensor) -> None:
    """Raise unless the two matrices have one shape ``(B, D)`` and one device.

    Raises:
        TypeError: If one of them is not floating-point.
        ValueError: If shapes or devices differ.
    """
    (name, first), (other_name, other) = rows.items()
    check_features(name, first)
    check_features(other_name, other)
    if first.shape != other.shape:
        raise ValueError(
            f'{name} and {other_name} must have one shape, got {tuple(first.shape)} and {tuple(other.shape)}; '
            'both networks must see the same images and, for logits, have the same classes'
        )
    check_same_device(**rows)


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """Losses ``(B,)`` as they are, their sum, or their mean; the mean of no losses is 0 and keeps a gradient path."""
    if reduction == 'none':
        return losses
    return losses.sum() if reduction == 'sum' else losses.sum() / max(losses.numel(), 1)
