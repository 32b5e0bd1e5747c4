"""Works on the study of a tuning until the budget ends; other processes may work on it at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Callable

from optuna.trial import TrialState

from icckd_mm.lab.experiment.event_loop import work
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import Task
from icckd_mm.lab.experiment.workers import Workers
from icckd_mm.lab.tuning.allowance import Allowance
from icckd_mm.lab.tuning.claims import work_dir_alone
from icckd_mm.lab.tuning.next_trial import NextTrial
from icckd_mm.lab.tuning.pair_runs import Answer
from icckd_mm.lab.tuning.results import Results
from icckd_mm.lab.tuning.setting import Setting
from icckd_mm.lab.tuning.standings import Rung, final_rung, search_rungs
from icckd_mm.lab.tuning.study import join_study, read_plan
from icckd_mm.lab.tuning.trial_flow import Flow, Flows

POLL = 2.0  # seconds between two looks at what other processes have done


@dataclass
class Tuner:
    """One process of a tuning.

    Attributes:
        setting: The settings.
        budget: Seconds, including those that other processes have spent before this one began.
        workers: Pairs at a time.
        gpus: Values of ``CUDA_VISIBLE_DEVICES`` to use.
        say: Called with each line of progress.
    """

    setting: Setting
    budget: float
    workers: int
    gpus: Sequence[str] = ()
    say: Callable[[str], None] = print

    def run(self) -> list[Rung]:
        """Do what the budget allows, and wait for other processes that are at work.

        Returns:
            The rungs of the search, and the finals.

        Raises:
            ValueError: If the work dir holds another tuning, the budget is too small, or the control fails.
        """
        with work_dir_alone(self.setting.folder):
            self.study = join_study(self.setting)
            self.setting.write_configs()
        self.results = Results(self.setting)
        self.allowance = Allowance(self.budget, self.results)
        self.flows = Flows(self.setting, self.study, self.results, self.allowance, self.workers, self.say)
        self.next_trial = NextTrial(self.flows)
        self.ready: list[tuple[Task, Flow]] = []
        self.waiting: list[Flow] = []  # for another process
        self.running: dict[str, Flow] = {}
        pool = Workers(self.workers, self.gpus)
        try:
            self._work(pool)
        finally:
            pool.stop()
            _close(self.running.values())
            self._drop_unstarted()
        return self._rungs()

    @property
    def stopped(self) -> bool:
        """Whether the budget ended before all finals."""
        return self.next_trial.stopped

    @property
    def failed(self) -> set[tuple[int, int]]:
        """Numbers and seeds of the pairs that have failed, also in other processes as far as the study knows."""
        failures = self.study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
        return self.flows.failed | {(one.number, self.setting.seed + len(one.intermediate_values)) for one in failures}

    def _work(self, pool: Workers) -> None:
        told = False
        while True:
            before = self.next_trial.other_process()
            work(pool, self._take, self._done)
            after = self.next_trial.other_process()
            if after and not told:
                self.say(f'waiting: {after}')
                told = True
            if not (before or after):
                return
            time.sleep(POLL)

    def _take(self, idle: list[str]) -> tuple[Task, str] | None:
        """The next run, for the event loop."""
        if self.allowance.is_over:
            self.next_trial.stopped = True
            self._drop_unstarted()
            return None
        if not self.ready:
            waiting, self.waiting = self.waiting, []
            for flow in waiting:
                self._advance(flow)
        while not self.ready and (new := self.next_trial.take(len(self.waiting))) is not None:
            self._advance(new)
        if not self.ready:
            return None
        task, flow = self.ready.pop(0)
        self.running[task.run.name] = flow
        return task, idle[0]

    def _done(self, task: Task, record: Record | None, error: str) -> None:
        self._advance(self.running.pop(task.run.name), (record, error))

    def _advance(self, flow: Flow, answer: Answer = None) -> None:
        try:
            task = flow.send(answer)
        except StopIteration:
            return
        if task is None:
            self.waiting.append(flow)
        else:
            self.ready.append((task, flow))

    def _drop_unstarted(self) -> None:
        """Release the trials that have no run at work; a later call takes them over."""
        _close([*self.waiting, *(flow for _, flow in self.ready)])
        self.waiting, self.ready = [], []

    def _rungs(self) -> list[Rung]:
        plan = read_plan(self.study, self.setting.deepest)
        if plan is None:
            raise ValueError(
                f'the budget of {self.budget:.0f} s was spent before the first pair of runs had ended; give more with --budget'
            )
        trials = self.study.get_trials(deepcopy=False)
        return [*search_rungs(trials, plan, self.setting), final_rung(trials, plan, self.setting)]


def _close(flows: Iterable[Flow]) -> None:
    for flow in flows:
        flow.close()
