"""Formats numbers and intervals for tables."""

from __future__ import annotations

import math

from icckd_mm.lab.stats.paired import Interval


def number(value: float, form: str) -> str:
    """A number; a dash for None."""
    return '–' if math.isnan(value) else f'{value:{form}}'


def bounds(interval: Interval, form: str) -> str:
    """The bounds of an interval; a dash for a single seed."""
    return '–' if math.isnan(interval.low) else f'{interval.low:{form}} to {interval.high:{form}}'


def with_bounds(interval: Interval, form: str) -> str:
    """A mean with its bounds; the value alone for a single seed."""
    return f'{interval.mean:{form}}' if interval.count == 1 else f'{interval.mean:{form}} [{bounds(interval, form)}]'
