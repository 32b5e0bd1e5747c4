"""Does the runs of a tuning within its budget, and goes on where a kill has left it."""

from __future__ import annotations

import functools
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Callable

from icckd_mm.engine.atomic_backend import write_atomically
from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.results import Record, append_result, read_results, write_results
from icckd_mm.lab.experiment.runner import alone_in, clock
from icckd_mm.lab.experiment.train_run import LOG, Task, last_checkpoint
from icckd_mm.lab.experiment.workers import Workers
from icckd_mm.lab.tuning.halving import CONTROL, DEFAULT, ETA, Rung, Values, cost, length, plan_rungs
from icckd_mm.lab.tuning.setting import Job, Setting

TRIALS, PLAN = 'tune.jsonl', 'tune.json'


@dataclass
class Tuner:
    """A tuning and what is known of it.

    Attributes:
        setting (Setting): What decides the trials.
        budget (float): Seconds.
        workers (int): Pairs at a time.
        gpus (Sequence[str]): GPUs to deal them to.
        say (Callable): Where a line of progress goes.
        rungs (list[Rung]): The plan, once the first runs are measured.
        stopped (bool): Whether the budget has cut the plan short.
    """

    setting: Setting
    budget: float
    workers: int
    gpus: Sequence[str] = ()
    say: Callable[[str], None] = print
    rungs: list[Rung] = field(default_factory=list)
    stopped: bool = False

    def __post_init__(self) -> None:
        self.path, self.plan = self.setting.folder / TRIALS, self.setting.folder / PLAN
        self.records: dict[str, Record] = {}
        self.spent_before = 0.0
        self.start = time.perf_counter()

    @property
    def spent(self) -> float:
        """Seconds, those before a kill included."""
        return self.spent_before + time.perf_counter() - self.start

    def run(self, resume: bool) -> list[list[int]]:
        """Do what is left.

        Args:
            resume (bool): Whether the work dir holds the beginning.

        Returns:
            list[list[int]]: Candidates of each rung beside the control.

        Raises:
            ValueError: If the work dir holds another tuning, or the budget is too small.
        """
        try:
            self.setting.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f'cannot write to {self.setting.folder}, {error}; name another --work-dir') from None
        with alone_in(self.setting.folder):
            self._begin(resume)
            pool = Workers(self.workers, self.gpus)
            try:
                if not self.rungs:
                    self._measure(pool)
                history = self._halve(pool)
            finally:
                pool.stop()
            write_results(self.path, self.records.values())
        return history

    def score(self, index: int, rung: Rung) -> float | None:
        """Mean accuracy of a candidate's students, in percent of what is held out; None if a seed is missing."""
        found = [self.accuracy(index, rung.level, seed) for seed in rung.seeds]
        there = [value for value in found if value is not None]
        return sum(there) / len(there) if len(there) == len(found) else None

    def is_level(self, rung: Rung, alive: Sequence[int]) -> bool:
        """Whether all of a rung, the control too, have reached the same, so that its cut is by number: by chance."""
        return len({self.score(index, rung) for index in (CONTROL, *alive)}) == 1

    def accuracy(self, index: int, level: int, seed: int) -> float | None:
        """Accuracy of one student."""
        return self.records.get(self.setting.pair(index, level, seed)[1].name, {}).get('last_accuracy')

    def _begin(self, resume: bool) -> None:
        """Take up what is there; nothing is, until the first runs are measured and the plan is written."""
        if self.plan.exists():
            if not resume:
                raise ValueError(f'{self.plan.parent} holds a tuning already; go on with --resume, or name another --work-dir')
            kept = json.loads(self.plan.read_text(encoding='utf-8'))
            for name, value in self._state().items():
                if kept[name] != value:
                    raise ValueError(
                        f'{name} of the tuning in {self.plan.parent}: {kept[name]} then, {value} now; '
                        '--resume needs the same command and code, another --work-dir begins anew'
                    )
            self.rungs = [Rung(rung['level'], rung['size'], tuple(rung['seeds'])) for rung in kept['rungs']]
            records = read_results(self.path)
            self.spent_before = max((record['time']['spent_s'] for record in records), default=0.0)
            self.records = {record['run']: record for record in records if 'error' not in record}  # failed ones are tried again
            write_results(self.path, self.records.values())  # without the last line that a kill has cut
        else:
            self.path.unlink(missing_ok=True)
        for file, text in self.setting.texts.items():
            write_atomically(file, text.encode())

    def _state(self) -> dict[str, str]:
        return {'settings': self.setting.digest(), 'code': code_version()}

    def _measure(self, pool: Workers) -> None:
        """The first runs, from whose time the plan follows: the control, and the default on a second worker."""
        setting, level = self.setting, self.setting.deepest
        first = [(index, level, setting.seed) for index in (CONTROL, DEFAULT)[: self.workers]]
        self._work(pool, first, lambda: True)
        teacher, student = (self.records.get(run.name, {}) for run in setting.pair(*first[0]))
        error = teacher.get('error') or student.get('error')
        if error:
            raise ValueError(f'the first run has failed, see {LOG} in {setting.folder}/runs: {error}')
        if not student:
            raise ValueError(
                f'the budget of {self.budget:.0f} s was spent before the first pair of runs had ended; its teacher took '
                f'{teacher["time"]["wall_s"]:.0f} s for {teacher["epochs"]} epochs; give more with --budget'
            )
        self.rungs = plan_rungs(self.budget - self.spent, self._pair_seconds(), level, self.workers, setting.seed, setting.most)
        plan = {**self._state(), 'rungs': [asdict(rung) for rung in self.rungs]}
        write_atomically(self.plan, json.dumps(plan).encode())

    def _halve(self, pool: Workers) -> list[list[int]]:
        alive, history = list(range(DEFAULT, DEFAULT + self.rungs[0].size)), []
        for number, rung in enumerate(self.rungs):
            alive = alive[: rung.size]
            history.append(alive)
            epochs = ' and '.join(str(length(self.setting.epochs[stage], rung.level)) for stage in ('teacher', 'student'))
            self.say(
                f'rung {number + 1} of {len(self.rungs)}: {rung.size} candidates and the control, {epochs} epochs of teacher '
                f'and student, seeds {", ".join(map(str, rung.seeds))}; {clock(max(0.0, self.budget - self.spent))} left'
            )
            jobs = [(index, rung.level, seed) for seed in rung.seeds for index in (CONTROL, *alive)]
            later = [Rung(one.level, one.size, one.seeds[:2]) for one in self.rungs[number + 1 :]]
            self._work(pool, jobs, functools.partial(self._in_time, rung.level, later))
            scores = {index: self.score(index, rung) for index in alive}
            ranked = [index for index in alive if scores[index] is not None]
            alive = sorted(ranked, key=lambda index: -(scores[index] or 0.0)) or alive  # stable: ties go to the lower number
        return history

    def _in_time(self, level: int, later: list[Rung]) -> bool:
        """Whether another pair fits the budget, with what the later rungs need at least kept back."""
        pair, deepest = self._pair_seconds(), self.setting.deepest
        kept = sum(cost(rung, pair, deepest, self.workers) for rung in later)
        return self.spent + pair * ETA ** (deepest - level) + kept <= self.budget

    def _pair_seconds(self) -> float:
        """Mean seconds of a pair at the shortest length; what longer pairs took counts by their length."""
        timed = [record for record in self.records.values() if 'wall_s' in record['time']]
        seconds: dict[int, list[float]] = {}
        for record in [record for record in timed if not record['time']['resumed']] or timed:
            seconds.setdefault(record['level'], []).append(record['time']['wall_s'])
        longest = min(seconds)  # its times have the smallest share of start-up in them
        return 2 * sum(seconds[longest]) / len(seconds[longest]) / ETA ** (self.setting.deepest - longest)

    def _work(self, pool: Workers, jobs: list[Job], may_start: Callable[[], bool]) -> None:
        """Do the pairs that are not done yet, as long as the budget lasts."""
        waiting, done, busy = list(self._open(jobs)), 0, 0
        students: list[tuple[Task, Job]] = []
        known: dict[str, Job] = {}
        total = len(waiting)
        while waiting or students or busy:
            while (gpus := pool.idle()) and (students or waiting):
                if self.spent > self.budget or (not students and not may_start()):
                    self.stopped = True
                    waiting, students = [], []
                    break
                task, job = students.pop(0) if students else self._task(waiting.pop(0))
                known[task.run.name] = job
                pool.start(task, gpus[0])
                busy += 1
            for task, record, error in pool.finished() if busy else ():
                busy -= 1
                job = known[task.run.name]
                self._keep(task, job, record, error)
                if record is not None and task.run.recipe.stage == 'teacher':
                    students.append(self._task(job))
                else:
                    done += 1
                    self._tidy(job)
                    self._progress(job, record, error, f'{done}/{total}')

    def _open(self, jobs: list[Job]) -> Iterator[Job]:
        for job in jobs:
            teacher, student = (self.records.get(run.name) for run in self.setting.pair(*job))
            if student is None and not (teacher and 'error' in teacher):
                yield job

    def _task(self, job: Job) -> tuple[Task, Job]:
        """The first run of a pair that is not done."""
        teacher, student = self.setting.pair(*job)
        folders = {run.name: self.setting.folder / 'runs' / run.name for run in (teacher, student)}
        checkpoint = last_checkpoint(folders[teacher.name], teacher)
        if teacher.name not in self.records or not checkpoint.is_file():
            return Task(teacher, str(folders[teacher.name]), None, bool(self.spent_before), code_version()), job
        return Task(student, str(folders[student.name]), str(checkpoint), bool(self.spent_before), code_version()), job

    def _keep(self, task: Task, job: Job, record: Record | None, error: str) -> None:
        run = task.run
        failed = {'run': run.name, 'stage': run.recipe.stage, 'factors': run.recipe.factors, 'error': error, 'time': {}}
        kept = {**(failed if record is None else record), 'candidate': job[0], 'level': job[1], 'seed': run.seed}
        kept['time'] = {**kept['time'], 'spent_s': round(self.spent, 2)}
        self.records[run.name] = kept
        append_result(self.path, self.records[run.name])

    def _tidy(self, job: Job) -> None:
        """Checkpoints of a finished pair are of no more use."""
        for run in self.setting.pair(*job):
            shutil.rmtree(self.setting.folder / 'runs' / run.name / 'train', ignore_errors=True)

    def _progress(self, job: Job, record: Record | None, error: str, count: str) -> None:
        values = self.setting.values(job[0])
        title = f'[{count}] candidate {job[0]}: {described(values)}, seed {job[2]}'
        figures = f'FAILED: {error[:300]}' if record is None else f'{record["last_accuracy"]:.2f} %'
        self.say(f'{title}: {figures}  spent {clock(self.spent)}, left {clock(max(0.0, self.budget - self.spent))}')


def described(values: Values) -> str:
    """The values for people."""
    return f'λ {values["loss_weight"]:g}, δ {values["margin"]:g}, τ {values["temperature"]:g}'
