"""The runs of a trial from its first pair to its end; the event loop asks for one after the other."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Callable, Optional

import optuna
from optuna.trial import TrialState

from icckd_mm.lab.experiment.train_run import LOG, Task
from icckd_mm.lab.tuning.allowance import Allowance
from icckd_mm.lab.tuning.budget import ETA, SEARCH_SHARE, length, make_plan, search_levels, verdict_budget
from icckd_mm.lab.tuning.candidate import Candidate
from icckd_mm.lab.tuning.pair_runs import Answer, RunError, pair_runs
from icckd_mm.lab.tuning.results import Results
from icckd_mm.lab.tuning.search_space import candidate_of
from icckd_mm.lab.tuning.setting import Setting
from icckd_mm.lab.tuning.study import read_plan, write_plan

Flow = Generator[Optional[Task], Answer, None]  # the runs of one trial; None while it waits for another process


@dataclass
class Flows:
    """What all trials of a process share.

    Attributes:
        setting: The settings.
        study: The study.
        results: The results so far.
        allowance: The time that is left.
        workers: Pairs at a time.
        say: Called with each line of progress.
        failed: Numbers and seeds of the pairs that have failed.
    """

    setting: Setting
    study: optuna.Study
    results: Results
    allowance: Allowance
    workers: int
    say: Callable[[str], None]
    failed: set[tuple[int, int]] = field(default_factory=set)

    def search(self, trial: optuna.Trial, held: ExitStack) -> Flow:
        """The runs of a candidate, from the shortest on, until Optuna's pruner stops it.

        Args:
            trial: The trial, with its values.
            held: The claim to it, which is released at the end.

        Raises:
            ValueError: If it is the control and fails; then there is nothing to compare with.
        """
        with held:
            candidate = candidate_of(trial, self.setting.default)
            try:
                yield from self._climb(trial, candidate)
            except RunError as error:
                if candidate.is_control:
                    raise ValueError(f'the control has failed, see {LOG} in {self.setting.folder}/runs: {error}') from None
                trial.set_user_attr('error', str(error))
                self.study.tell(trial, state=TrialState.FAIL)

    def final(self, candidate: Candidate, level: int, seed: int, held: ExitStack) -> Flow:
        """One pair of the finals.

        Args:
            candidate: The candidate.
            level: Length of the runs.
            seed: Seed.
            held: The claim to the pair, which is released at the end.
        """
        with held:
            try:
                yield from self._pair(candidate, level, seed)
            except RunError:
                self.failed.add((candidate.number, seed))

    def _climb(self, trial: optuna.Trial, candidate: Candidate) -> Flow:
        deepest, rung = self.setting.deepest, 0
        while True:
            level = deepest - rung
            accuracy = yield from self._pair(candidate, level, self.setting.seed + rung)
            if ETA**rung not in self.study.get_trials(deepcopy=False)[trial.number].intermediate_values:
                trial.report(accuracy, ETA**rung)
            if candidate.is_control and read_plan(self.study, deepest) is None:
                self._announce(deepest)
            while (plan := read_plan(self.study, deepest)) is None:
                yield None
            if level == search_levels(plan, deepest)[-1]:
                self.study.tell(trial, accuracy)
                return
            if not candidate.is_control and (trial.should_prune() or not self.allowance.fits(level - 1, SEARCH_SHARE)):
                self.study.tell(trial, state=TrialState.PRUNED)
                return
            rung += 1

    def _announce(self, deepest: int) -> None:
        """Plan the finals from the time of the first pair, and say whether they can name a winner."""
        pair = self.results.pair_seconds()
        plan = make_plan(self.allowance.budget, pair, deepest, self.workers, self.setting.most)
        write_plan(self.study, plan)
        seeds, needed = verdict_budget(plan, pair, deepest, self.workers)
        line = f'finals: {plan.finalists} candidates and the control; to name a winner they need {seeds} seeds'
        if seeds > self.setting.most[1]:
            line += f', and --seeds allows {self.setting.most[1]}'
        elif needed > self.allowance.budget:
            line += f', about --budget {math.ceil(needed / 60)}m; with less the report ranks the candidates only'
        self.say(line)

    def _pair(self, candidate: Candidate, level: int, seed: int) -> Generator[Task | None, Answer, float]:
        epochs = ' and '.join(str(length(self.setting.epochs[stage], level)) for stage in ('teacher', 'student'))
        title = f'{candidate}, seed {seed}, {epochs} epochs'
        try:
            accuracy = yield from pair_runs(self.results, candidate, level, seed)
        except RunError as error:
            self.failed.add((candidate.number, seed))
            self.say(f'{title}: FAILED: {str(error)[:300]}')
            raise
        self.say(f'{title}: {accuracy:.2f} %  {self.allowance}')
        return accuracy
