"""What several seeds say, and what they do not: intervals, paired tests, seeds needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FEWEST_SEEDS = 3  # below, nothing is called better or worse
LEVEL, POWER = 0.05, 0.8
RESAMPLES = 9999  # of the bootstrap
PERMUTATIONS = 2**16  # the test is exact up to 16 seeds
MOST_SEEDS = 100_000


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % bootstrap interval; the bounds are NaN for a single value.

    Attributes:
        mean (float): Mean.
        low (float): Lower bound.
        high (float): Upper bound.
        count (int): How many values.
    """

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Comparison:
    """A treatment against its reference, paired by seed.

    Attributes:
        difference (Interval): Of treatment less reference.
        p_value (float): Of the two-sided permutation test; NaN below two seeds.
        effect (float): Cohen's :math:`d_z`, the mean difference in standard deviations of the differences; NaN where these
            do not vary.
        deviation (float): Standard deviation of the differences; NaN below two seeds.
    """

    difference: Interval
    p_value: float
    effect: float
    deviation: float


def mean_interval(values: Sequence[float]) -> Interval:
    """Mean with bias-corrected and accelerated bootstrap interval.

    Args:
        values (Sequence[float]): One value a seed.

    Returns:
        Interval: The same for the same values, whatever ran before.

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
    if np.ptp(sample) == 0:  # BCa is not defined there
        return Interval(mean, mean, mean, len(sample))
    bounds = stats.bootstrap((sample,), np.mean, n_resamples=RESAMPLES, method='BCa', random_state=0).confidence_interval
    return Interval(mean, float(bounds.low), float(bounds.high), len(sample))


def compare(treatment: Sequence[float], reference: Sequence[float]) -> Comparison:
    """Compare two methods seed by seed.

    Args:
        treatment (Sequence[float]): One value a seed.
        reference (Sequence[float]): The values of the same seeds in the same order.

    Returns:
        Comparison: Without a verdict, which needs all comparisons of a table, see :func:`verdicts`.

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
        return Comparison(interval, math.nan, math.nan, math.nan)
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
    return Comparison(interval, float(test.pvalue), interval.mean / deviation if varies else math.nan, deviation)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the k-th smallest of m p-values times m - k + 1, made monotone, at most 1.

    Args:
        p_values (Sequence[float]): In ``[0, 1]``; NaN stays NaN and does not count.

    Returns:
        list[float]: Adjusted p-values in the given order.

    Raises:
        ValueError: If one lies outside of ``[0, 1]``.

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


def verdicts(comparisons: Sequence[Comparison]) -> list[tuple[float, str]]:
    """Holm-adjusted p-value and verdict of each comparison of one table.

    Args:
        comparisons (Sequence[Comparison]): All that are looked at together.

    Returns:
        list[tuple[float, str]]: ``'better'`` or ``'worse'`` only with at least 3 seeds and an adjusted p-value below 0.05;
        ``'too few seeds'`` below 3 seeds; ``'too few seeds to tell'`` where a difference of one sign in all seeds would
        not get there either, since the permutations of n seeds give no p-value below :math:`2^{1-n}`, times the number of
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


def paired_power(effect: float, seeds: int, level: float = LEVEL) -> float:
    """Power of the two-sided paired t-test.

    Args:
        effect (float): True difference in standard deviations of the differences, :math:`d_z`.
        seeds (int): Number of pairs, at least 2.
        level (float): Significance level. Defaults to 0.05.

    Returns:
        float: Chance to find the difference, from the noncentral t distribution.
    """
    freedom, shift = seeds - 1, effect * math.sqrt(seeds)
    critical = stats.t.ppf(1 - level / 2, freedom)
    return float(stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift))


def seeds_needed(deviation: float, difference: float = 0.3, power: float = POWER, level: float = LEVEL) -> int | None:
    """How many seeds find a true difference, given the noise seen.

    Args:
        deviation (float): Standard deviation of the paired differences.
        difference (float): The true difference, in the same unit. Defaults to 0.3 (points of accuracy).
        power (float): Wanted chance to find it, in (0, 1). Defaults to 0.8.
        level (float): Significance level, in (0, 1). Defaults to 0.05.

    Returns:
        int, optional: The smallest number of seeds, at least 3; None if it is above 100,000 or the noise is not known (NaN).

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> seeds_needed(0.6)  # an effect of half a standard deviation
        34
    """
    if deviation < 0 or not difference > 0 or not 0 < power < 1 or not 0 < level < 1:
        raise ValueError(
            'deviation must be at least 0, difference above 0, power and level within (0, 1), '
            f'got {deviation}, {difference}, {power}, {level}'
        )
    if math.isnan(deviation):
        return None
    if deviation * 10 < difference:  # the noncentral t of scipy fails far out, and nobody needs it there
        return FEWEST_SEEDS
    effect = difference / deviation
    low, high = FEWEST_SEEDS - 1, FEWEST_SEEDS
    while paired_power(effect, high, level) < power:
        low, high = high, 2 * high
        if high > MOST_SEEDS:
            return None
    while high - low > 1:  # power grows with the seeds
        middle = (low + high) // 2
        low, high = (low, middle) if paired_power(effect, middle, level) >= power else (middle, high)
    return high


def _smallest_p_value(seeds: int) -> float:
    """What the permutation test gives where all differences have one sign."""
    return max(2.0 ** (1 - seeds), 2 / (PERMUTATIONS + 1))


def _sample(name: str, values: Sequence[float]) -> np.ndarray:
    sample = np.asarray(values, dtype=float)
    if sample.ndim != 1 or not len(sample) or not np.isfinite(sample).all():
        raise ValueError(f'{name} must be a list of finite numbers, one a seed, got {values!r}')
    return sample
