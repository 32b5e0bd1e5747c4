"""Lengths of runs, and what fits a budget."""

import pytest

from icckd_mm.lab.tuning.budget import (
    Plan,
    covered_seconds,
    deepest_level,
    make_plan,
    read_budget,
    search_levels,
    verdict_budget,
)


@pytest.mark.parametrize(('text', 'seconds'), [('90s', 90), ('30m', 1800), ('2h', 7200), ('0.5h', 1800)])
def test_a_budget_is_a_number_and_a_unit(text, seconds):
    assert read_budget(text) == seconds


@pytest.mark.parametrize('text', ['2x', '2', 'h', '-2h', '0s', '2h30', '1e3s', ' 2h'])
def test_another_budget_is_refused(text):
    with pytest.raises(ValueError, match='such as 90s, 30m or 2h'):
        read_budget(text)


@pytest.mark.parametrize(('epochs', 'level'), [(2, 0), (14, 0), (15, 1), (20, 1), (45, 2), (240, 3), (10_000, 3)])
def test_the_shortest_rung_has_five_epochs_or_is_the_whole(epochs, level):
    assert deepest_level(epochs) == level


@pytest.mark.parametrize(
    ('seconds', 'plan'),
    [
        (1e6, Plan(0, 3)),
        (2 * 12 * 270, Plan(0, 3)),  # three finalists and the control, three seeds, 10 s * 3^3 a pair, in half of the budget
        (2 * 12 * 270 - 1, Plan(1, 3)),
        (2 * 12 * 10, Plan(3, 3)),
        (2 * 12 * 10 - 1, Plan(3, 2)),
        (2 * 6 * 10, Plan(3, 2)),
    ],
)
def test_the_finals_are_as_long_as_half_of_the_budget_allows(seconds, plan):
    assert make_plan(seconds, 10.0, 3, 1, (81, 7)) == plan


def test_several_workers_and_lower_limits_leave_time_for_longer_finals():
    assert make_plan(2 * 2 * 270, 10.0, 3, 6, (81, 7)) == Plan(0, 3)
    assert make_plan(2 * 6 * 270, 10.0, 3, 1, (2, 2)) == Plan(0, 2)


def test_a_budget_below_the_least_says_what_is_needed():
    with pytest.raises(
        ValueError, match=r'2 candidates and the control with 2 seeds need 120 s, and the budget is 119 s; .*144s'
    ):
        make_plan(119, 10.0, 0, 1, (81, 7))


@pytest.mark.parametrize(
    ('top', 'deepest', 'levels'), [(0, 3, [3, 2, 1]), (1, 3, [3, 2]), (2, 3, [3]), (3, 3, [3]), (0, 1, [1]), (0, 0, [0])]
)
def test_the_search_ends_below_the_finals(top, deepest, levels):
    assert search_levels(Plan(top, 3), deepest) == levels


def test_time_of_two_processes_is_counted_once():
    assert covered_seconds([]) == 0
    assert covered_seconds([(5, 9), (0, 2), (6, 7), (8, 10)]) == 7


def test_the_budget_of_a_verdict_counts_seeds_of_all_finalists():
    """Three candidates and the control with 7 seeds, 10 s a pair, half of the budget for the search."""
    assert verdict_budget(Plan(0, 3), 10.0, 0, 1) == (7, 2 * 4 * 7 * 10.0)
    assert verdict_budget(Plan(0, 1), 10.0, 1, 2) == (6, 2 * 6 * 30.0)
