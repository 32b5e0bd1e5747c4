"""Statistics of several seeds: intervals, paired tests, verdicts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FEWEST_SEEDS = 3  # with fewer, no verdict is given
LEVEL = 0.05
RESAMPLES = 9999  # of the bootstrap
PERMUTATIONS = 2**16  # the test is exact up to 16 seeds


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % bootstrap interval; the bounds are NaN for a single value.

    Attributes:
        mean: Mean.
        low: Lower bound.
        high: Upper bound.
        count: Number of values.
    """

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class PairedDifference:
    """A comparison of a treatment with its reference, paired by seed.

    Attributes:
        difference: Mean of treatment minus reference.
        p_value: P-value of the two-sided permutation test; NaN below two seeds.
        effect: Cohen's :math:`d_z`, the mean difference in standard deviations of the differences; NaN if these
            do not vary.
        deviation: Standard deviation of the differences; NaN below two seeds.
    """

    difference: Interval
    p_value: float
    effect: float
    deviation: float


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean with bias-corrected and accelerated bootstrap interval.

    Args:
        values: One value per seed.

    Returns:
        The interval; deterministic for given values.

    Raises:
        ValueError: If there is no value, or one is not finite.

    Source: ``scipy.stats.bootstrap``, Efron's BCa.

    Example:
        >>> mean_interval([97.0, 97.5, 98.0]).mean
        97.5
    """
    sample = _sample('values', values)
    mean = float(sample.mean())
    if len(sample) == 1:
        return Interval(mean, math.nan, math.nan, 1)
    if np.ptp(sample) == 0:  # BCa is not defined for equal values
        return Interval(mean, mean, mean, len(sample))
    bounds = stats.bootstrap((sample,), np.mean, n_resamples=RESAMPLES, method='BCa', random_state=0).confidence_interval
    return Interval(mean, float(bounds.low), float(bounds.high), len(sample))


def compare(treatment: Sequence[float], reference: Sequence[float]) -> PairedDifference:
    """Compare two methods seed by seed.

    Args:
        treatment: One value per seed.
        reference: The values of the same seeds in the same order.

    Returns:
        The comparison, without a verdict; see :func:`verdicts`, which needs all comparisons of a table.

    Raises:
        ValueError: If the lengths differ, there is no value, or one is not finite.

    Source: ``scipy.stats.permutation_test``, signs flipped within pairs.
    """
    first, second = _sample('treatment', treatment), _sample('reference', reference)
    if len(first) != len(second):
        raise ValueError(f'treatment has {len(first)} values and reference {len(second)}; give both for the same seeds')
    differences = first - second
    interval = mean_interval(differences)
    if len(differences) == 1:
        return PairedDifference(interval, math.nan, math.nan, math.nan)
    deviation = float(differences.std(ddof=1))
    test = stats.permutation_test(
        (first, second),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type='samples',
        vectorized=True,
        n_resamples=PERMUTATIONS,
        random_state=0,
    )
    varies = deviation > 1e-12 * max(1.0, abs(interval.mean))
    return PairedDifference(interval, float(test.pvalue), interval.mean / deviation if varies else math.nan, deviation)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the k-th smallest of m p-values times m - k + 1, made monotone, at most 1.

    Args:
        p_values: In ``[0, 1]``; NaN stays NaN and is not counted.

    Returns:
        Adjusted p-values in the given order.

    Raises:
        ValueError: If one is outside ``[0, 1]``.

    Source: Holm 1979, Scandinavian Journal of Statistics 6.

    Example:
        >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=float)
    given = np.flatnonzero(~np.isnan(values))
    if np.any((values[given] < 0) | (values[given] > 1)):
        raise ValueError(f'p-values must lie in [0, 1], got {list(p_values)}')
    order = given[np.argsort(values[given], kind='stable')]
    factors = np.arange(len(order), 0, -1)
    values[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return [float(value) for value in values]


def verdicts(comparisons: Sequence[PairedDifference]) -> list[tuple[float, str]]:
    """Holm-adjusted p-value and verdict of each comparison of one table.

    Args:
        comparisons: All comparisons of the table.

    Returns:
        ``'better'`` or ``'worse'`` only with at least 3 seeds and an adjusted p-value below 0.05;
        ``'too few seeds'`` below 3 seeds; ``'too few seeds to tell'`` if not even a difference of one sign in all seeds
        could reach it, since the permutations of n seeds give no p-value below :math:`2^{1-n}`, times the number of
        comparisons after Holm; else ``'no difference shown'``.
    """
    counted = [comparison.difference.count >= FEWEST_SEEDS for comparison in comparisons]
    adjusted = holm([c.p_value if enough else math.nan for c, enough in zip(comparisons, counted)])
    results = []
    for comparison, enough, p_value in zip(comparisons, counted, adjusted):
        if not enough:
            verdict = 'too few seeds'
        elif p_value < LEVEL:
            verdict = 'better' if comparison.difference.mean > 0 else 'worse'
        elif sum(counted) * _smallest_p_value(comparison.difference.count) >= LEVEL:
            verdict = 'too few seeds to tell'
        else:
            verdict = 'no difference shown'
        results.append((p_value, verdict))
    return results


def seeds_for_verdict(comparisons: int) -> int:
    """Fewest seeds with which one of so many comparisons can reach an adjusted p-value below 0.05.

    Args:
        comparisons: Comparisons of one table, at least 1.

    Example:
        >>> [seeds_for_verdict(comparisons) for comparisons in (1, 2, 3)]
        [6, 7, 7]
    """
    seeds = FEWEST_SEEDS
    while comparisons * _smallest_p_value(seeds) >= LEVEL:
        seeds += 1
    return seeds


def _smallest_p_value(seeds: int) -> float:
    """P-value of the permutation test if all differences have the same sign."""
    return max(2.0 ** (1 - seeds), 2 / (PERMUTATIONS + 1))


def _sample(name: str, values: Sequence[float]) -> np.ndarray:
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or not len(sample) or not np.isfinite(sample).all():
        raise ValueError(f'{name} must be a list of finite numbers, one per seed, got {values!r}')
    return sample
