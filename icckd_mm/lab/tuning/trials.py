"""The trials of a tuning with their results and times, stored in the work dir."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.results import Record, append_result, read_results, write_results
from icckd_mm.lab.experiment.train_run import Task, last_checkpoint
from icckd_mm.lab.tuning.halving import CONTROL, ETA, Rung
from icckd_mm.lab.tuning.setting import Job, Setting
from icckd_mm.nested_text import parse_json

TRIALS, PLAN = 'tune.jsonl', 'tune.json'


@dataclass
class Trials:
    """The trials of a tuning.

    Attributes:
        setting: The settings.
        records: Records of ended runs by name; failed runs have an ``error``.
        spent_before: Seconds spent before this process.
        start: Start time of this process.
    """

    setting: Setting
    records: dict[str, Record] = field(default_factory=dict)
    spent_before: float = 0.0
    start: float = field(default_factory=lambda: time.perf_counter())

    def __post_init__(self) -> None:
        self.path, self.plan = self.setting.folder / TRIALS, self.setting.folder / PLAN

    @property
    def spent(self) -> float:
        """Seconds spent, including those before a kill."""
        return self.spent_before + time.perf_counter() - self.start

    def begin(self, resume: bool) -> list[Rung]:
        """Read the work dir, and write the configs of the trials.

        Returns:
            The rungs; none until the first runs are measured and the plan is written.

        Raises:
            ValueError: If the work dir holds another tuning.
        """
        rungs = []
        if self.plan.exists():
            if not resume:
                raise ValueError(
                    f'{self.plan.parent} holds a tuning already; continue it with --resume, or name another --work-dir'
                )
            kept = self._read_plan()
            for name, value in self._state().items():
                if kept[name] != value:
                    raise ValueError(
                        f'{name} of the tuning in {self.plan.parent}: was {kept[name]}, is {value} now; '
                        '--resume needs the same command and code, another --work-dir starts from scratch'
                    )
            rungs = [Rung(rung['level'], rung['size'], tuple(rung['seeds'])) for rung in kept['rungs']]
            records = read_results(self.path)
            self.spent_before = max((self._spent(record) for record in records), default=0.0)
            self.records = {record['run']: record for record in records if 'error' not in record}  # failed ones are tried again
            self.write()  # without a last line truncated by a kill
        else:
            self.path.unlink(missing_ok=True)
        for file, text in self.setting.texts.items():
            write_atomically(file, text.encode())
        return rungs

    def write_plan(self, rungs: Sequence[Rung]) -> None:
        """Store the rungs for a later ``--resume``."""
        write_atomically(self.plan, json.dumps({**self._state(), 'rungs': [asdict(rung) for rung in rungs]}).encode())

    def write(self) -> None:
        """Write all records, sorted."""
        write_results(self.path, self.records.values())

    def left(self, jobs: Sequence[Job]) -> Iterator[Job]:
        """The jobs that have neither finished nor failed."""
        for job in jobs:
            teacher, student = (self.records.get(run.name) for run in self.setting.pair(*job))
            if student is None and not (teacher and 'error' in teacher):
                yield job

    def task(self, job: Job) -> Task:
        """The first unfinished run of a pair."""
        teacher, student = self.setting.pair(*job)
        folders = {run.name: self.setting.folder / 'runs' / run.name for run in (teacher, student)}
        checkpoint = last_checkpoint(folders[teacher.name], teacher)
        if teacher.name not in self.records or not checkpoint.is_file():
            return Task(teacher, str(folders[teacher.name]), None, bool(self.spent_before), code_version())
        return Task(student, str(folders[student.name]), str(checkpoint), bool(self.spent_before), code_version())

    def keep(self, task: Task, job: Job, record: Record | None, error: str) -> None:
        """Add the record of a run, or its error."""
        run = task.run
        failed = {'run': run.name, 'stage': run.recipe.stage, 'factors': run.recipe.factors, 'error': error, 'time': {}}
        kept = {**(failed if record is None else record), 'candidate': job[0], 'level': job[1], 'seed': run.seed}
        kept['time'] = {**kept['time'], 'spent_s': round(self.spent, 2)}
        self.records[run.name] = kept
        append_result(self.path, kept)

    def delete_checkpoints(self, job: Job) -> None:
        """Delete the checkpoints of a finished pair, which are not needed any more."""
        for run in self.setting.pair(*job):
            shutil.rmtree(self.setting.folder / 'runs' / run.name / 'train', ignore_errors=True)

    def score(self, index: int, rung: Rung) -> float | None:
        """Mean accuracy of a candidate's students, in percent on the held-out images; None if a seed is missing."""
        found = [self.accuracy(index, rung.level, seed) for seed in rung.seeds]
        there = [value for value in found if value is not None]
        return sum(there) / len(there) if len(there) == len(found) else None

    def is_level(self, rung: Rung, alive: Sequence[int]) -> bool:
        """Whether all candidates of a rung and the control have the same accuracy, so that the selection is arbitrary."""
        return len({self.score(index, rung) for index in (CONTROL, *alive)}) == 1

    def accuracy(self, index: int, level: int, seed: int) -> float | None:
        """Accuracy of one student."""
        return self.records.get(self.setting.pair(index, level, seed)[1].name, {}).get('last_accuracy')

    def pair_seconds(self) -> float:
        """Mean seconds of a pair at the shortest length; longer pairs are scaled."""
        timed = [record for record in self.records.values() if 'wall_s' in record['time']]
        seconds: dict[int, list[float]] = {}
        for record in [record for record in timed if not record['time']['resumed']] or timed:
            seconds.setdefault(record['level'], []).append(record['time']['wall_s'])
        longest = min(seconds)  # start-up has the smallest share of their times
        return 2 * sum(seconds[longest]) / len(seconds[longest]) / ETA ** (self.setting.deepest - longest)

    def _read_plan(self) -> dict[str, Any]:
        try:
            kept = parse_json(self.plan.read_bytes())
            whole = all(type(rung['level']) is type(rung['size']) is int and list(rung['seeds']) for rung in kept['rungs'])
            if not whole or not all(isinstance(kept[name], str) for name in self._state()):
                raise ValueError('it lacks rungs, settings or code')
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f'{self.plan} is not the plan of a tuning: {error}; name another --work-dir') from None
        return kept

    def _spent(self, record: Record) -> float:
        spent = record.get('time', {}).get('spent_s')
        if not isinstance(spent, (int, float)) or 'candidate' not in record:
            raise ValueError(f'{self.path}: the record of {record["run"]} is not one of a tuning; remove its line')
        return float(spent)

    def _state(self) -> dict[str, str]:
        return {'settings': self.setting.digest(), 'code': code_version()}
