"""The runs of a teacher and its student, one after the other; what has finished is not run again."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Optional

from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import Task, last_checkpoint
from icckd_mm.lab.tuning.candidate import Candidate
from icckd_mm.lab.tuning.claims import first_holder
from icckd_mm.lab.tuning.results import STAGES, Results

Answer = Optional[tuple[Optional[Record], str]]  # of a worker: a record, or an error


class RunError(Exception):
    """A run has failed, for a reason that its worker has told."""


def pair_runs(results: Results, candidate: Candidate, level: int, seed: int) -> Generator[Task | None, Answer, float]:
    """Yield the runs that are still to do, and take the answers of their worker; None while a run cannot start yet.

    Args:
        results: The results so far.
        candidate: The candidate.
        level: Length of the runs.
        seed: Seed.

    Returns:
        Accuracy of the student.

    Raises:
        RunError: If a run has failed.
    """
    setting = results.setting
    teacher, student = setting.pair(candidate, level, seed)
    folder = setting.pair_folder(candidate.number, level, seed)
    checkpoint = last_checkpoint(folder / 'teacher', teacher)
    try:
        if results.accuracy(candidate, level, seed) is None:
            if results.record(candidate, level, seed, 'teacher') is None or not checkpoint.is_file():
                yield from _run(Task(teacher, str(folder / 'teacher'), None, True, code_version()))
            yield from _run(Task(student, str(folder / 'student'), str(checkpoint), True, code_version()))
        accuracy = results.accuracy(candidate, level, seed)
        if accuracy is None:
            raise RunError(f'{folder} has no result')
    except RunError:
        _delete_checkpoints(folder)
        raise
    _delete_checkpoints(folder)
    return accuracy


def _run(task: Task) -> Generator[Task | None, Answer, None]:
    while first_holder([Path(task.folder)]):  # a worker outlives its killed process for a moment
        yield None
    record, error = (yield task) or (None, 'the worker has not answered')
    if record is None:
        raise RunError(error)


def _delete_checkpoints(folder: Path) -> None:
    """No run starts from them any more."""
    for stage in STAGES:
        shutil.rmtree(folder / stage / 'train', ignore_errors=True)
