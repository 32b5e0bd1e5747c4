"""Checks of numeric arguments."""

from __future__ import annotations

import math


def check_positive(name: str, value: float, default: float | None = None) -> None:
    """Raise unless ``value`` is a finite number above 0.

    Raises:
        ValueError: If not; names the value, and the default if given.
    """
    if not (isinstance(value, (int, float)) and math.isfinite(value) and value > 0):
        advice = '' if default is None else f'; {default} is the default'
        raise ValueError(f'{name} must be a finite number above 0, got {value!r}{advice}')


def check_weight(name: str, value: float, default: float | None = None) -> None:
    """Raise unless ``value`` is a finite number of at least 0.

    Raises:
        ValueError: If not; names the value, and the default if given.
    """
    if not (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0):
        advice = '' if default is None else f'; {default} is the default'
        if name.endswith('loss_weight'):
            advice = '; 0 switches the loss off'
        raise ValueError(f'{name} must be a finite number of at least 0, got {value!r}{advice}')


def check_count(name: str, value: object, least: int = 1, advice: str = '') -> None:
    """Raise unless ``value`` is an integer of at least ``least``.

    Raises:
        ValueError: If not; names the value, and what to do if given.
    """
    if not isinstance(value, int) or value < least:
        raise ValueError(f'{name} must be an integer of at least {least}, got {value!r}{advice and "; " + advice}')
