"""The time that a tuning may still spend."""

from __future__ import annotations

import time

from icckd_mm.lab.clock import clock
from icckd_mm.lab.tuning.budget import ETA
from icckd_mm.lab.tuning.results import Results


class Allowance:
    """A budget, and what is spent of it.

    Args:
        budget: Seconds, including those that other processes spent before this one began.
        results: The results so far; from their times new runs are predicted.
    """

    def __init__(self, budget: float, results: Results) -> None:
        self.budget, self.results = budget, results
        self.start, self.before = time.perf_counter(), results.spent()

    @property
    def spent(self) -> float:
        """Seconds spent by this process and those before it."""
        return self.before + time.perf_counter() - self.start

    @property
    def is_over(self) -> bool:
        """Whether nothing may start any more."""
        return self.spent > self.budget

    def fits(self, level: int, share: float = 1.0) -> bool:
        """Whether a pair of this length fits a share of the budget."""
        pair = self.results.pair_seconds() * ETA ** (self.results.setting.deepest - level)
        return self.spent + pair <= share * self.budget

    def __str__(self) -> str:
        return f'spent {clock(self.spent)}, left {clock(max(0.0, self.budget - self.spent))}'
