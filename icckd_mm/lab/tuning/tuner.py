"""Runs a tuning within its budget; an interrupted one is resumed."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Callable

from icckd_mm.engine.process.folder_lock import folder_lock
from icckd_mm.lab.experiment.clock import clock
from icckd_mm.lab.experiment.event_loop import work
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import LOG, Task
from icckd_mm.lab.experiment.workers import Workers
from icckd_mm.lab.tuning.halving import CONTROL, DEFAULT, ETA, Rung, Values, cost, length, plan_rungs
from icckd_mm.lab.tuning.setting import Job, Setting
from icckd_mm.lab.tuning.trials import Trials


@dataclass
class Tuner:
    """Successive halving of the candidates of a setting.

    Attributes:
        setting: The settings.
        budget: Seconds.
        workers: Pairs at a time.
        gpus: Values of ``CUDA_VISIBLE_DEVICES`` to use.
        say: Called with each line of progress.
        rungs: The plan, once the first runs are measured.
        stopped: Whether the budget ended before the plan.
    """

    setting: Setting
    budget: float
    workers: int
    gpus: Sequence[str] = ()
    say: Callable[[str], None] = print
    rungs: list[Rung] = field(default_factory=list)
    stopped: bool = False

    def __post_init__(self) -> None:
        self.trials = Trials(self.setting)

    def run(self, resume: bool) -> list[list[int]]:
        """Do the remaining trials.

        Args:
            resume: Whether to continue the tuning in the work dir.

        Returns:
            Candidates of each rung without the control.

        Raises:
            ValueError: If the work dir holds another tuning, or the budget is too small.
        """
        with folder_lock(self.setting.folder):
            self.rungs = self.trials.begin(resume)
            pool = Workers(self.workers, self.gpus)
            try:
                if not self.rungs:
                    self._measure(pool)
                history = self._halve(pool)
            finally:
                pool.stop()
            self.trials.write()
        return history

    def _measure(self, pool: Workers) -> None:
        """The first runs, whose time determines the plan: the control, and the default on a second worker."""
        setting, trials, level = self.setting, self.trials, self.setting.deepest
        first = [(index, level, setting.seed) for index in (CONTROL, DEFAULT)[: self.workers]]
        self._work(pool, first, lambda: True)
        teacher, student = (trials.records.get(run.name, {}) for run in setting.pair(*first[0]))
        error = teacher.get('error') or student.get('error')
        if error:
            raise ValueError(f'the first run has failed, see {LOG} in {setting.folder}/runs: {error}')
        if not student:
            raise ValueError(
                f'the budget of {self.budget:.0f} s was spent before the first pair of runs had ended; its teacher took '
                f'{teacher["time"]["wall_s"]:.0f} s for {teacher["epochs"]} epochs; give more with --budget'
            )
        left = self.budget - trials.spent
        self.rungs = plan_rungs(left, trials.pair_seconds(), level, self.workers, setting.seed, setting.most)
        trials.write_plan(self.rungs)

    def _halve(self, pool: Workers) -> list[list[int]]:
        alive, history = list(range(DEFAULT, DEFAULT + self.rungs[0].size)), []
        for number, rung in enumerate(self.rungs):
            alive = alive[: rung.size]
            history.append(alive)
            epochs = ' and '.join(str(length(self.setting.epochs[stage], rung.level)) for stage in ('teacher', 'student'))
            self.say(
                f'rung {number + 1} of {len(self.rungs)}: {rung.size} candidates and the control, {epochs} epochs of teacher '
                f'and student, seeds {", ".join(map(str, rung.seeds))}; {self._left()} left'
            )
            jobs = [(index, rung.level, seed) for seed in rung.seeds for index in (CONTROL, *alive)]
            later = [Rung(one.level, one.size, one.seeds[:2]) for one in self.rungs[number + 1 :]]
            self._work(pool, jobs, functools.partial(self._in_time, rung.level, later))
            scores = {index: self.trials.score(index, rung) for index in alive}
            ranked = [index for index in alive if scores[index] is not None]
            alive = sorted(ranked, key=lambda index: -(scores[index] or 0.0)) or alive  # stable: the lower number wins a tie
        return history

    def _in_time(self, level: int, later: list[Rung]) -> bool:
        """Whether another pair fits the budget, less the minimum that the later rungs need."""
        pair, deepest = self.trials.pair_seconds(), self.setting.deepest
        kept = sum(cost(rung, pair, deepest, self.workers) for rung in later)
        return self.trials.spent + pair * ETA ** (deepest - level) + kept <= self.budget

    def _work(self, pool: Workers, jobs: list[Job], may_start: Callable[[], bool]) -> None:
        """Do the remaining pairs until the budget ends."""
        trials, ended = self.trials, 0
        waiting = list(trials.left(jobs))
        students: list[Job] = []
        running: dict[str, Job] = {}
        total = len(waiting)

        def take(idle: list[str]) -> tuple[Task, str] | None:
            if not (students or waiting):
                return None
            if trials.spent > self.budget or (not students and not may_start()):
                self.stopped = True
                waiting.clear()
                students.clear()
                return None
            job = (students or waiting).pop(0)
            task = trials.task(job)
            running[task.run.name] = job
            return task, idle[0]

        def done(task: Task, record: Record | None, error: str) -> None:
            nonlocal ended
            job = running.pop(task.run.name)
            trials.keep(task, job, record, error)
            if record is not None and task.run.recipe.stage == 'teacher':
                students.append(job)
                return
            ended += 1
            trials.delete_checkpoints(job)
            title = f'[{ended}/{total}] candidate {job[0]}: {described(self.setting.values(job[0]))}, seed {job[2]}'
            figures = f'FAILED: {error[:300]}' if record is None else f'{record["last_accuracy"]:.2f} %'
            self.say(f'{title}: {figures}  spent {clock(trials.spent)}, left {self._left()}')

        work(pool, take, done)

    def _left(self) -> str:
        return clock(max(0.0, self.budget - self.trials.spent))


def described(values: Values) -> str:
    """The values as text."""
    return f'λ {values["loss_weight"]:g}, δ {values["margin"]:g}, τ {values["temperature"]:g}'
