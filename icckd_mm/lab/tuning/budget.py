"""Lengths of the runs of a tuning, and what of them fits a time budget."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from icckd_mm.lab.stats.paired import seeds_for_verdict

ETA = 3  # each rung trains three times as long as the one before, with about a third of its candidates
SHORTEST = 5  # epochs; in shorter runs hardly any image passes the margin, and all candidates equal the control
DEEPEST = 3  # the shortest rung trains 1/27 of the epochs
MOST_CANDIDATES = 81
MOST_SEEDS = 7  # enough for three comparisons to reach p < 0.05 after Holm; with 6 not even two can
FINALS = ((3, 3), (2, 2))  # finalists and seeds for which the longest runs must leave time; the second if the first never fit
SEARCH_SHARE = 0.5  # of the budget; the finals get the rest
UNITS = {'s': 1, 'm': 60, 'h': 3600}


@dataclass(frozen=True)
class Plan:
    """Length of the final runs, and number of candidates in them.

    Attributes:
        top: Level of the final runs, which last ``3**-top`` of the configs' epochs.
        finalists: Number of candidates without the control.
    """

    top: int
    finalists: int


def read_budget(text: str) -> float:
    """Seconds of a time such as ``90s``, ``30m`` or ``2h``.

    Raises:
        ValueError: If it is not a time, or 0.

    Example:
        >>> read_budget('1.5h')
        5400.0
    """
    found = re.fullmatch(r'(\d+(?:\.\d+)?)([smh])', text)
    if not found or float(found[1]) == 0:
        raise ValueError(f'--budget must be a time such as 90s, 30m or 2h, got {text!r}')
    return float(found[1]) * UNITS[found[2]]


def deepest_level(epochs: int) -> int:
    """How often a run of ``epochs`` can be cut to a third and still be long enough for a ranking."""
    return max(level for level in range(DEEPEST + 1) if level == 0 or epochs / ETA**level >= SHORTEST)


def length(epochs: int, level: int) -> int:
    """Epochs at a level, at least 1."""
    return max(1, round(epochs / ETA**level))


def make_plan(seconds: float, pair_seconds: float, deepest: int, workers: int, most: tuple[int, int]) -> Plan:
    """The longest final runs that fit the part of a budget that the search leaves.

    Args:
        seconds: The budget.
        pair_seconds: Seconds of a pair of runs, teacher and student, at the shortest length.
        deepest: Level of that length.
        workers: Pairs at a time.
        most: Maximum numbers of candidates without the control, and of seeds.

    Raises:
        ValueError: If the budget is too small for two candidates with two seeds at the shortest length.
    """
    needed = 0.0
    for finals in FINALS:
        finalists, seeds = (min(pair) for pair in zip(finals, most))
        rounds = math.ceil((finalists + 1) * seeds / workers)
        for top in range(deepest + 1):
            needed = rounds * pair_seconds * float(ETA) ** (deepest - top) / (1 - SEARCH_SHARE)
            if needed <= seconds:
                return Plan(top, finalists)
    raise ValueError(
        f'a pair of runs takes {pair_seconds:.1f} s at the shortest length, so that a search, and {finalists} candidates and '
        f'the control with {seeds} seeds need {needed:.0f} s, and the budget is {seconds:.0f} s; give at least '
        f'--budget {math.ceil(needed * 1.2)}s'
    )


def verdict_budget(plan: Plan, pair_seconds: float, deepest: int, workers: int) -> tuple[int, float]:
    """What the finals need so that the statistics can name a winner.

    Args:
        plan: The finals.
        pair_seconds: Seconds of a pair of runs at the shortest length.
        deepest: Level of that length.
        workers: Pairs at a time.

    Returns:
        The number of seeds, and the budget in seconds.
    """
    seeds = seeds_for_verdict(plan.finalists)
    rounds = math.ceil((plan.finalists + 1) * seeds / workers)
    return seeds, rounds * pair_seconds * float(ETA) ** (deepest - plan.top) / (1 - SEARCH_SHARE)


def search_levels(plan: Plan, deepest: int) -> list[int]:
    """Levels of the search, shortest runs first: all below that of the finals, at least one."""
    return list(range(deepest, min(plan.top + 1, deepest) - 1, -1))


def covered_seconds(spans: Iterable[tuple[float, float]]) -> float:
    """Length of the union of time spans, each a begin and an end.

    Example:
        >>> covered_seconds([(0, 2), (1, 4), (10, 11)])
        5.0
    """
    covered, until = 0.0, -math.inf
    for begin, end in sorted(spans):
        covered += max(0.0, end - max(begin, until))
        until = max(until, end)
    return covered
