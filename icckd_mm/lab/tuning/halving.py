"""Successive halving within a time budget: candidates, lengths of runs and seeds."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

ETA = 3  # each rung trains three times as long as the one before, with a third of its candidates
SHORTEST = 5  # epochs; in shorter runs hardly any image passes the margin, and all candidates equal the control
DEEPEST = 3  # the shortest rung trains 1/27 of the epochs
MOST_CANDIDATES = 81
MOST_SEEDS = 7  # enough for three comparisons to reach p < 0.05 after Holm; with 6 not even two can
COMFORTABLE, LEAST = (9, 3), (2, 2)  # candidates and seeds of the last rung
LOSS_WEIGHT, TEMPERATURE, MARGIN = (0.002, 0.3), (0.05, 0.5), (0.0, 0.9)  # log-uniform, log-uniform, uniform
CONTROL, DEFAULT = 0, 1  # numbers of these candidates
UNITS = {'s': 1, 'm': 60, 'h': 3600}
Values = dict[str, float]


@dataclass(frozen=True)
class Rung:
    """Candidates that are trained for the same number of epochs.

    Attributes:
        level: The runs last :math:`3^{-\text{level}}` of the configs' epochs.
        size: Number of candidates without the control.
        seeds: Seeds of each; different in all rungs, so that luck is not carried over.
    """

    level: int
    size: int
    seeds: tuple[int, ...]

    @property
    def pairs(self) -> int:
        """Pairs of a teacher and its student, including those of the control."""
        return (self.size + 1) * len(self.seeds)


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


def candidate(index: int, default: Mapping[str, float], seed: int) -> Values:
    """The values of the candidate with a number; independent of how many candidates there are.

    Args:
        index: 0 is the control, :math:`\\lambda = 0` with the default's other values; 1 the default; others are drawn.
        default: ``loss_weight``, ``margin`` and ``temperature`` of the config.
        seed: Seed of the draw.

    Returns:
        The three values, with three digits.
    """
    if index in (CONTROL, DEFAULT):
        return {**default, 'loss_weight': 0.0} if index == CONTROL else dict(default)
    generator = np.random.default_rng([seed, index])
    drawn = {
        'loss_weight': math.exp(generator.uniform(math.log(LOSS_WEIGHT[0]), math.log(LOSS_WEIGHT[1]))),
        'margin': generator.uniform(*MARGIN),
        'temperature': math.exp(generator.uniform(math.log(TEMPERATURE[0]), math.log(TEMPERATURE[1]))),
    }
    return {name: float(f'{value:.3g}') for name, value in drawn.items()}


def deepest_level(epochs: int) -> int:
    """How often a run of ``epochs`` can be cut to a third and still be long enough for a ranking."""
    return max(level for level in range(DEEPEST + 1) if level == 0 or epochs / ETA**level >= SHORTEST)


def length(epochs: int, level: int) -> int:
    """Epochs at a level, at least 1."""
    return max(1, round(epochs / ETA**level))


def cost(rung: Rung, pair_seconds: float, measured: int, workers: int) -> float:
    """Expected seconds of a rung.

    Args:
        rung: The rung.
        pair_seconds: Seconds of a pair of runs ...
        measured: ... at this level.
        workers: Pairs at a time.
    """
    return math.ceil(rung.pairs / workers) * pair_seconds * float(ETA) ** (measured - rung.level)


def plan_rungs(seconds: float, pair_seconds: float, deepest: int, workers: int, seed: int, most: tuple[int, int]) -> list[Rung]:
    """The rungs that fit a budget: first the longest runs, then most candidates, then most seeds in the last rung.

    Args:
        seconds: The budget.
        pair_seconds: Seconds of a pair of runs at the shortest length.
        deepest: Level of that length.
        workers: Pairs at a time.
        seed: First seed.
        most: Maximum numbers of candidates without the control, and of seeds in the last rung.

    Returns:
        The rungs, shortest first. The last has two or three candidates. With many candidates several rungs have the
        shortest length, each with another seed.

    Raises:
        ValueError: If the budget is too small for two candidates with two seeds at the shortest length.

    Source: Jamieson and Talwalkar 2016, Non-stochastic best arm identification and hyperparameter optimization.
    """

    def total(rungs: list[Rung]) -> float:
        return sum(cost(rung, pair_seconds, deepest, workers) for rung in rungs)

    for fewest in (COMFORTABLE, LEAST):
        candidates, seeds = (min(pair) for pair in zip(fewest, most))
        for top in range(deepest + 1):
            for size in range(most[0], candidates - 1, -1):
                if total(_rungs(top, deepest, size, seeds, seed)) <= seconds:
                    fitting = (_rungs(top, deepest, size, more, seed) for more in range(most[1], seeds - 1, -1))
                    return next(rungs for rungs in fitting if total(rungs) <= seconds)
    needed = total(_rungs(deepest, deepest, candidates, seeds, seed))
    raise ValueError(
        f'a pair of runs takes {pair_seconds:.0f} s at the shortest length, so that {candidates} candidates and the control '
        f'with {seeds} seeds need {needed:.0f} s, and {seconds:.0f} s are left; give '
        f'at least --budget {math.ceil(needed * 1.5)}s'
    )


def _rungs(top: int, deepest: int, size: int, seeds: int, seed: int) -> list[Rung]:
    count = max(deepest - top + 1, math.ceil(round(math.log(size, ETA), 9)))
    levels = [min(deepest, top + count - 1 - index) for index in range(count)]
    sizes = [max(min(2, size), math.ceil(size / ETA**index)) for index in range(count)]
    last = tuple(range(seed + count - 1, seed + count - 1 + seeds))
    return [Rung(levels[i], sizes[i], last if i == count - 1 else (seed + i,)) for i in range(count)]
