"""Works on the study of a tuning until the budget ends; other processes may work on it at the same time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Callable

from optuna.trial import FrozenTrial, TrialState

from icckd_mm.lab.experiment.event_loop import work
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import Task
from icckd_mm.lab.experiment.workers import Workers
from icckd_mm.lab.tuning.allowance import Allowance
from icckd_mm.lab.tuning.budget import SEARCH_SHARE, Plan
from icckd_mm.lab.tuning.candidate import CONTROL, Candidate
from icckd_mm.lab.tuning.claims import claim, first_holder, work_dir_alone
from icckd_mm.lab.tuning.pair_runs import Answer
from icckd_mm.lab.tuning.results import Results
from icckd_mm.lab.tuning.search_space import search_space
from icckd_mm.lab.tuning.setting import Setting
from icckd_mm.lab.tuning.standings import Rung, final_rung, search_rungs
from icckd_mm.lab.tuning.study import ask, join_study, read_plan
from icckd_mm.lab.tuning.trial_flow import Flow, Flows

POLL = 2.0  # seconds between two looks at what other processes have done


@dataclass
class Tuner:
    """One process of a tuning.

    Attributes:
        setting: The settings.
        budget: Seconds, including those that other processes spent before this one began.
        workers: Pairs at a time.
        gpus: Values of ``CUDA_VISIBLE_DEVICES`` to use.
        say: Called with each line of progress.
        stopped: Whether the budget ended before all finals.
    """

    setting: Setting
    budget: float
    workers: int
    gpus: Sequence[str] = ()
    say: Callable[[str], None] = print
    stopped: bool = False
    ready: list[tuple[Task, Flow]] = field(default_factory=list)
    waiting: list[Flow] = field(default_factory=list)  # for the plan, which another process makes
    running: dict[str, Flow] = field(default_factory=dict)

    def run(self) -> list[Rung]:
        """Do what the budget allows, and wait for other processes that are at work.

        Returns:
            The rungs of the search, and the finals.

        Raises:
            ValueError: If the work dir holds another tuning, the budget is too small, or the control fails.
        """
        self.results, self.space = Results(self.setting), search_space(self.setting.default)
        with work_dir_alone(self.setting.folder):
            self.study = join_study(self.setting)
            self.setting.write_configs()
        self.allowance = Allowance(self.budget, self.results)
        self.flows = Flows(self.setting, self.study, self.results, self.allowance, self.workers, self.say)
        pool = Workers(self.workers, self.gpus)
        try:
            self._work(pool)
        finally:
            pool.stop()
            self._drop(self.running.values())
            self._drop_unstarted()
        plan = self._plan()
        if plan is None:
            raise ValueError(
                f'the budget of {self.budget:.0f} s was spent before the first pair of runs had ended; give more with --budget'
            )
        trials = self._trials()
        return [*search_rungs(trials, plan, self.setting), final_rung(trials, plan, self.setting)]

    @property
    def failed(self) -> set[tuple[int, int]]:
        """Numbers and seeds of the pairs that have failed, also in other processes as far as the study knows."""
        found = {(trial.number, self.setting.seed + len(trial.intermediate_values)) for trial in self._trials(TrialState.FAIL)}
        return found | self.flows.failed

    def _work(self, pool: Workers) -> None:
        told = False
        while True:
            before = self._other_process()
            work(pool, self._take, self._done)
            after = self._other_process()
            if after and not told:
                self.say(f'waiting: {after}')
                told = True
            if not (before or after):
                return
            time.sleep(POLL)

    def _other_process(self) -> str:
        """Which other process is at a trial, '' if none is."""
        folders = [self.setting.candidate_folder(trial.number) for trial in self._trials(TrialState.RUNNING)]
        plan = self._plan()
        if plan is not None and not folders:
            folders = [self.setting.pair_folder(*final) for final in self._open_finals(plan)]
        return first_holder(folders)

    def _take(self, idle: list[str]) -> tuple[Task, str] | None:
        """The next run, for the event loop."""
        if self.allowance.is_over:
            self.stopped = True
            self._drop_unstarted()
            return None
        if not self.ready:
            waiting, self.waiting = self.waiting, []
            for flow in waiting:
                self._advance(flow)
        while not self.ready and (new := self._new_flow()) is not None:
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

    def _new_flow(self) -> Flow | None:
        """The next trial: one that a killed process has left, a new one, or a pair of the finals."""
        with work_dir_alone(self.setting.folder):  # so that a trial is claimed before others see it
            for left in self._trials(TrialState.RUNNING):
                flow = self._search(left.number)
                if flow is not None:
                    return flow
            plan = self._plan()
            while self._may_search(plan):
                flow = self._search(None)
                if flow is not None:
                    return flow
            if plan is None or self._trials(TrialState.RUNNING):
                return None
            return self._final(plan)

    def _may_search(self, plan: Plan | None) -> bool:
        """Whether another candidate may begin."""
        drawn = [trial for trial in self._trials() if trial.number != CONTROL and trial.state != TrialState.FAIL]
        if not self._trials(TrialState.WAITING) and len(drawn) >= self.setting.most[0]:
            return False
        return len(self.waiting) < self.workers if plan is None else self.allowance.fits(self.setting.deepest, SEARCH_SHARE)

    def _search(self, number: int | None) -> Flow | None:
        """Take over a trial that nobody works on, or begin the next; None if that cannot be."""
        held = None if number is None else claim(self.setting.candidate_folder(number))
        if number is not None and held is None:
            return None
        try:
            trial = ask(self.study, self.space, self.setting.seed, number)
        except ValueError as error:
            self.say(f'FAILED: {error}')
            if held is not None:
                held.close()
            return None
        held = held or claim(self.setting.candidate_folder(trial.number))
        return None if held is None else self.flows.search(trial, held)

    def _final(self, plan: Plan) -> Flow | None:
        """A pair of the finals that nobody works on, if it fits the budget."""
        finals = self._open_finals(plan)
        if finals and not self.allowance.fits(plan.top):
            self.stopped = True
            return None
        for final, candidate in finals.items():
            held = claim(self.setting.pair_folder(*final))
            if held is not None:
                return self.flows.final(candidate, plan.top, final[2], held)
        return None

    def _open_finals(self, plan: Plan) -> dict[tuple[int, int, int], Candidate]:
        """Number, level and seed of the pairs of the finals that have neither finished nor failed; seed by seed."""
        rung = final_rung(self._trials(), plan, self.setting)
        return {
            (one.number, rung.level, seed): one
            for seed in rung.seeds
            for one in rung.candidates
            if (one.number, seed) not in self.flows.failed and self.results.accuracy(one, rung.level, seed) is None
        }

    def _drop_unstarted(self) -> None:
        """Release the trials that have no run at work; a later call takes them over."""
        self._drop([*self.waiting, *(flow for _, flow in self.ready)])
        self.waiting, self.ready = [], []

    def _drop(self, flows: Iterable[Flow]) -> None:
        for flow in flows:
            flow.close()

    def _plan(self) -> Plan | None:
        return read_plan(self.study, self.setting.deepest)

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)
