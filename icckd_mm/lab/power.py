"""How many seeds it takes to find a difference."""

from __future__ import annotations

import math

from scipy import stats

from icckd_mm.lab.statistics import FEWEST_SEEDS, LEVEL

POWER = 0.8
MOST_SEEDS = 100_000


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
