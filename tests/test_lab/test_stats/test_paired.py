import itertools
import math

import numpy as np
import pytest
from scipy import stats

from icckd_mm.lab.stats.paired import compare, holm, mean_interval, verdicts


def test_the_interval_of_many_normal_values_is_that_of_the_textbook():
    values = np.random.default_rng(0).normal(97, 0.5, 400)
    found = mean_interval(values)
    half = 1.96 * values.std(ddof=1) / math.sqrt(len(values))
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05 * half)


def test_the_interval_leans_to_the_long_tail():
    """BCa, unlike the normal interval, is not symmetric."""
    found = mean_interval([0.0, 0.1, 0.1, 0.2, 0.2, 0.3, 0.3, 3.0])
    assert found.high - found.mean > 1.5 * (found.mean - found.low)


def test_equal_and_single_values_have_an_interval_that_does_not_pretend():
    assert mean_interval([98.0, 98.0, 98.0]) == mean_interval([98.0, 98.0, 98.0])
    assert (mean_interval([98.0] * 3).low, mean_interval([98.0] * 3).high) == (98.0, 98.0)
    assert math.isnan(mean_interval([98.0]).low)


def test_the_interval_is_the_same_whatever_ran_before():
    values = [97.2, 98.1, 96.9, 97.7]
    first = mean_interval(values)
    np.random.default_rng().normal()
    np.random.seed(3)
    assert mean_interval(values) == first


@pytest.mark.parametrize('values', [[], [1.0, math.nan], [[1.0, 2.0]]])
def test_values_that_are_no_sample_are_refused(values):
    with pytest.raises(ValueError, match='finite numbers, one per seed'):
        mean_interval(values)


@pytest.mark.parametrize('seeds', [3, 6, 9])
def test_the_p_value_counts_flipped_signs(seeds):
    """Independent: all sign patterns, one by one."""
    draw = np.random.default_rng(seeds)
    first, second = draw.normal(0.4, 1, seeds), draw.normal(0, 1, seeds)
    differences = first - second
    means = [abs(np.mean(differences * signs)) for signs in itertools.product((1, -1), repeat=seeds)]
    expected = np.mean([mean >= abs(differences.mean()) - 1e-12 for mean in means])
    found = compare(first, second)
    assert found.p_value == pytest.approx(expected)
    assert found.effect == pytest.approx(stats.ttest_rel(first, second).statistic / math.sqrt(seeds))
    assert found.deviation == pytest.approx(differences.std(ddof=1))


def test_pairs_matter():
    """A small gain over very different seeds is found, because each seed is its own control."""
    reference = np.array([80.0, 85, 90, 95, 99, 70, 60, 88, 92, 77])
    noise = np.array([0.01, -0.02, 0.03, 0, 0.01, -0.01, 0.02, 0, -0.03, 0.01])
    assert compare(reference + 0.3 + noise, reference).p_value == pytest.approx(2 / 1024)
    with pytest.raises(ValueError, match='same seeds'):
        compare([1.0, 2.0], [1.0])


def test_holm_against_a_published_example_and_against_closed_testing():
    """The example of Wikipedia's page on the method; and: Holm is the closure of Bonferroni's test."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    p_values = np.random.default_rng(1).uniform(0, 0.2, 6)
    sets = [subset for size in range(1, 7) for subset in itertools.combinations(range(6), size)]
    closed = [max(min(1, len(s) * min(p_values[list(s)])) for s in sets if i in s) for i in range(6)]
    assert holm(p_values) == pytest.approx(closed)


def test_holm_leaves_what_was_not_tested_alone():
    found = holm([0.02, math.nan, 0.5])
    assert found[0] == 0.04
    assert math.isnan(found[1])
    with pytest.raises(ValueError, match=r'\[0, 1\]'):
        holm([1.2])


def gain(seeds, size=1.0):
    reference = np.linspace(90, 91, seeds)
    return compare(reference + size + 0.01 * np.arange(seeds), reference)


@pytest.mark.parametrize(
    ('seeds', 'size', 'verdict'),
    [
        (1, 9.0, 'too few seeds'),
        (2, 9.0, 'too few seeds'),
        (3, 9.0, 'too few seeds to tell'),
        (5, 9.0, 'too few seeds to tell'),
        (6, 9.0, 'better'),
        (10, -9.0, 'worse'),
    ],
)
def test_verdicts_of_one_comparison(seeds, size, verdict):
    """Below 6 seeds no permutation test can reach 0.05, however large the difference."""
    assert verdicts([gain(seeds, size)])[0][1] == verdict


def test_noise_is_no_difference():
    draw = np.random.default_rng(0)
    assert verdicts([compare(draw.normal(0, 1, 10), draw.normal(0, 1, 10))])[0][1] == 'no difference shown'


def test_many_comparisons_need_more_seeds():
    """25 comparisons of 10 seeds can just be decided, 26 cannot; those with too few seeds do not count."""
    assert {verdict for _, verdict in verdicts([gain(10)] * 25 + [gain(2)])} == {'better', 'too few seeds'}
    assert {verdict for _, verdict in verdicts([gain(10)] * 26)} == {'too few seeds to tell'}
