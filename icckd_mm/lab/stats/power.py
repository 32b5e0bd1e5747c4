"""Number of seeds needed to detect a difference."""

from __future__ import annotations

import math

from scipy import stats

from icckd_mm.lab.stats.paired import FEWEST_SEEDS, LEVEL

POWER = 0.8
MOST_SEEDS = 100_000


def paired_power(effect: float, seeds: int) -> float:
    """Power of the two-sided paired t-test at the level 0.05.

    Args:
        effect: True difference in standard deviations of the differences, :math:`d_z`.
        seeds: Number of pairs, at least 2.

    Returns:
        Probability of detecting the difference, from the noncentral t distribution.
    """
    freedom, shift = seeds - 1, effect * math.sqrt(seeds)
    critical = stats.t.ppf(1 - LEVEL / 2, freedom)
    return float(stats.nct.sf(critical, freedom, shift) + stats.nct.cdf(-critical, freedom, shift))


def seeds_needed(deviation: float, difference: float = 0.3) -> int | None:
    """Number of seeds that detect a true difference with a power of 80 % at the level 0.05, given the observed noise.

    Args:
        deviation: Standard deviation of the paired differences.
        difference: The true difference, in the same unit. Defaults to 0.3 (points of accuracy).

    Returns:
        The smallest number of seeds, at least 3; None if it is above 100,000 or the noise is unknown (NaN).

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> seeds_needed(0.6)  # an effect of half a standard deviation
        34
    """
    if deviation < 0 or not difference > 0:
        raise ValueError(f'deviation must be at least 0 and difference above 0, got {deviation} and {difference}')
    if math.isnan(deviation):
        return None
    if deviation * 10 < difference:  # scipy's noncentral t fails for extreme values, where power is 1 anyway
        return FEWEST_SEEDS
    effect = difference / deviation
    low, high = FEWEST_SEEDS - 1, FEWEST_SEEDS
    while paired_power(effect, high) < POWER:
        low, high = high, 2 * high
        if high > MOST_SEEDS:
            return None
    while high - low > 1:  # power grows with the seeds
        middle = (low + high) // 2
        low, high = (low, middle) if paired_power(effect, middle) >= POWER else (middle, high)
    return high
