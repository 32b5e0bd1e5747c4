import math

import numpy as np
import pytest
from scipy import stats

from icckd_mm.lab.stats.power import paired_power, seeds_needed


@pytest.mark.parametrize(('effect', 'pairs'), [(0.2, 199), (0.5, 34), (0.8, 15)])
def test_seeds_needed_are_those_of_the_power_tables(effect, pairs):
    """Two-sided paired t-test, alpha 0.05, power 0.8, as G*Power gives them."""
    assert seeds_needed(0.3 / effect) == pairs


def test_power_is_what_simulated_experiments_find():
    differences = np.random.default_rng(0).normal(0.9, 1, (20_000, 10))
    found = np.mean(stats.ttest_1samp(differences, 0, axis=1).pvalue < 0.05)
    assert paired_power(0.9, 10) == pytest.approx(found, abs=0.01)


def test_seeds_needed_at_the_ends():
    assert seeds_needed(0.0) == 3
    assert seeds_needed(math.nan) is None
    assert seeds_needed(500.0) is None
    assert seeds_needed(10.0) > seeds_needed(1.0) > 3
    with pytest.raises(ValueError, match='difference above 0'):
        seeds_needed(1.0, difference=0)
