"""Rank correlation with a bootstrap interval."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from icckd_mm.lab.stats.paired import Interval

FEWEST_PAIRS = 5  # with fewer, nearly every resample has a few values only
RESAMPLES = 2000


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> Interval | None:
    """Spearman's correlation of two lists, with a 95 % percentile interval over resampled pairs.

    Args:
        first: One value per case, such as a measure of each teacher.
        second: The other value of the same cases, such as the gain of its student.

    Returns:
        The correlation as ``mean``, its bounds and the number of pairs; deterministic for given values. Resamples in which one
        list does not vary are left out. None below 5 pairs, or if a list does not vary.

    Raises:
        ValueError: If the lengths differ or a value is not finite.

    Source: Spearman 1904; ties get mean ranks. The percentile bootstrap is Efron's.

    Example:
        >>> rank_correlation([1, 2, 3, 4, 5], [10, 20, 30, 40, 90]).mean
        1.0
    """
    x, y = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    if x.shape != y.shape or x.ndim != 1 or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(f'two lists of finite numbers of one length are needed, got {first!r} and {second!r}')
    if len(x) < FEWEST_PAIRS or np.ptp(x) == 0 or np.ptp(y) == 0:
        return None
    rows = np.random.default_rng(0).integers(len(x), size=(RESAMPLES, len(x)))
    found = [_spearman(x[chosen], y[chosen]) for chosen in rows]
    low, high = np.nanquantile(found, [0.025, 0.975])
    return Interval(_spearman(x, y), float(low), float(high), len(x))


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    a, b = (stats.rankdata(values) - (len(values) + 1) / 2 for values in (x, y))
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return round(float(a @ b) / scale, 12) if scale else math.nan
