"""Rank correlations with bootstrap intervals."""

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


def pooled_rank_correlation(groups: Sequence[tuple[Sequence[float], Sequence[float]]]) -> Interval | None:
    """Spearman's correlation within groups, such as the studies of several data sets, pooled over them.

    Each list is replaced by its ranks in its group, centred and divided by the size of the group, so that differences between
    groups do not count. The correlation is of all these ranks together. A resample draws pairs within each group.

    Args:
        groups: Two lists for each, as for :func:`rank_correlation`. Those with fewer than 5 pairs, or a list that does not
            vary, are left out.

    Returns:
        As :func:`rank_correlation`; None if no group remains.

    Raises:
        ValueError: If the lengths of a group differ or a value is not finite.

    Source: our choice.

    Example:
        >>> pooled_rank_correlation([([1, 2, 3, 4, 5], [1, 2, 3, 4, 5]), ([1, 2, 3, 4, 5], [50, 40, 30, 20, 10])]).mean
        0.0
    """
    kept = [(np.asarray(x, dtype=float), np.asarray(y, dtype=float)) for x, y in groups if rank_correlation(x, y) is not None]
    if not kept:
        return None
    generator = np.random.default_rng(0)
    found = []
    for _ in range(RESAMPLES):
        rows = [generator.integers(len(x), size=len(x)) for x, _ in kept]
        found.append(_pooled([(x[chosen], y[chosen]) for chosen, (x, y) in zip(rows, kept)]))
    low, high = np.nanquantile(found, [0.025, 0.975])
    return Interval(_pooled(kept), float(low), float(high), sum(len(x) for x, _ in kept))


def _pooled(groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    ranks = [[_centred_ranks(values) / len(values) for values in pair] for pair in groups]
    a, b = (np.concatenate([pair[place] for pair in ranks]) for place in (0, 1))
    return _correlation(a, b)


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    return _correlation(_centred_ranks(x), _centred_ranks(y))


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    return stats.rankdata(values) - (len(values) + 1) / 2


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Of two lists with mean 0; NaN if one does not vary."""
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return round(float(a @ b) / scale, 12) if scale else math.nan
