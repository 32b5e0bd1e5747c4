"""Chooses what a process of a tuning does next, so that no two processes do the same."""

from __future__ import annotations

from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from icckd_mm.lab.tuning.budget import SEARCH_SHARE, Plan
from icckd_mm.lab.tuning.candidate import CONTROL, Candidate
from icckd_mm.lab.tuning.claims import claim, first_holder, work_dir_alone
from icckd_mm.lab.tuning.search_space import search_space
from icckd_mm.lab.tuning.standings import final_rung
from icckd_mm.lab.tuning.study import ask, read_plan
from icckd_mm.lab.tuning.trial_flow import Flow, Flows

Final = tuple[int, int, int]  # number of the candidate, level, seed


@dataclass
class NextTrial:
    """What is to be done next.

    Attributes:
        flows: What the trials of this process share.
        stopped: Whether the budget ended before all finals.
    """

    flows: Flows
    stopped: bool = False

    def __post_init__(self) -> None:
        self.study, self.setting, self.allowance = self.flows.study, self.flows.setting, self.flows.allowance
        self.space = search_space(self.setting.default)

    def take(self, waiting: int) -> Flow | None:
        """A trial that a killed process has left, a new one, or a pair of the finals; None if there is nothing to do now.

        Args:
            waiting: Number of trials of this process that wait for another process.
        """
        with work_dir_alone(self.setting.folder):  # so that a trial is claimed before others see it
            for left in self._trials(TrialState.RUNNING):
                flow = self._search(left.number)
                if flow is not None:
                    return flow
            plan = self._plan()
            while self._may_search(plan, waiting):
                flow = self._search(None)
                if flow is not None:
                    return flow
            if plan is None or self._trials(TrialState.RUNNING):
                return None
            return self._final(plan)

    def other_process(self) -> str:
        """Which other process is at a trial, '' if none is."""
        folders = [self.setting.candidate_folder(trial.number) for trial in self._trials(TrialState.RUNNING)]
        plan = self._plan()
        if plan is not None and not folders:
            folders = [self.setting.pair_folder(*final) for final in self._open_finals(plan)]
        return first_holder(folders)

    def _may_search(self, plan: Plan | None, waiting: int) -> bool:
        """Whether another candidate may begin."""
        drawn = [trial for trial in self._trials() if trial.number != CONTROL and trial.state != TrialState.FAIL]
        if not self._trials(TrialState.WAITING) and len(drawn) >= self.setting.most[0]:
            return False
        return waiting < self.flows.workers if plan is None else self.allowance.fits(self.setting.deepest, SEARCH_SHARE)

    def _search(self, number: int | None) -> Flow | None:
        """Take over a trial that nobody works on, or begin the next; None if that cannot be."""
        held = None if number is None else claim(self.setting.candidate_folder(number))
        if number is not None and held is None:
            return None
        try:
            trial = ask(self.study, self.space, self.setting.seed, number)
        except ValueError as error:
            self.flows.say(f'FAILED: {error}')
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

    def _open_finals(self, plan: Plan) -> dict[Final, Candidate]:
        """The pairs of the finals that have neither finished nor failed, seed by seed."""
        rung = final_rung(self._trials(), plan, self.setting)
        return {
            (one.number, rung.level, seed): one
            for seed in rung.seeds
            for one in rung.candidates
            if (one.number, seed) not in self.flows.failed and self.flows.results.accuracy(one, rung.level, seed) is None
        }

    def _plan(self) -> Plan | None:
        return read_plan(self.study, self.setting.deepest)

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None)
