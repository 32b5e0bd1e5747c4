import numpy as np
import pytest
from scipy import stats

from icckd_mm.lab.stats.rank import pooled_rank_correlation, rank_correlation


@pytest.mark.parametrize('ties', [False, True])
def test_the_correlation_is_scipys_and_the_interval_covers_it(ties):
    x, noise = np.random.default_rng(0).normal(size=(2, 30))
    y = x + noise
    x = x.round(0) if ties else x
    found = rank_correlation(x, y)
    assert found.mean == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.low < found.mean < found.high < 1
    assert found.count == 30
    assert found == rank_correlation(x, y)
    assert rank_correlation(x, -y).mean == pytest.approx(-found.mean)


def test_the_interval_of_unrelated_values_covers_zero_and_shrinks_with_their_number():
    wide, narrow = (rank_correlation(*np.random.default_rng(3).normal(size=(2, count))) for count in (10, 200))
    assert wide.low < 0 < wide.high
    assert narrow.high - narrow.low < 0.5 * (wide.high - wide.low)


def test_too_little_to_correlate_is_none_and_mistakes_are_named():
    assert rank_correlation([1, 2, 3, 4], [1, 2, 3, 4]) is None
    assert rank_correlation([1] * 6, range(6)) is None
    for first, second in (([1, 2], [1]), ([1.0, float('nan')], [1, 2])):
        with pytest.raises(ValueError, match='two lists of finite numbers'):
            rank_correlation(first, second)


def test_groups_are_pooled_by_their_own_ranks():
    """Two groups that agree, far apart in both lists in the other direction; joined, the correlation would be negative."""
    generator = np.random.default_rng(0)
    x = generator.normal(size=20)
    y = x + 0.3 * generator.normal(size=20)
    groups = [(x, y), (x + 100, y - 100)]
    found = pooled_rank_correlation(groups)
    assert found.mean == pytest.approx(stats.spearmanr(x, y).statistic)
    assert 0 < found.low < found.mean < found.high < 1
    assert found.count == 40
    assert rank_correlation(*np.hstack(groups)).mean < 0
    assert found == pooled_rank_correlation([*groups, ([1, 2], [3, 4]), ([1] * 9, range(9))])
    assert pooled_rank_correlation([([1, 2], [3, 4])]) is None


def test_the_pooled_correlation_of_one_group_is_its_own():
    x, y = np.random.default_rng(1).normal(size=(2, 12))
    assert pooled_rank_correlation([(x, y)]).mean == pytest.approx(rank_correlation(x, y).mean)
