"""The one loop that keeps worker processes busy: of plans, tunings and the benchmark of packing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import Task
from icckd_mm.lab.experiment.workers import Workers

Take = Callable[[list[str]], Optional[tuple[Task, str]]]
Done = Callable[[Task, Optional[Record], str], None]


def work(pool: Workers, take: Take, done: Done) -> None:
    """Start tasks wherever a worker is idle, until there are none and all have ended.

    Args:
        pool: The workers.
        take: Given the GPUs of the idle workers, the next task and one of these GPUs; None while no task can start. It is asked
            again each time that a task has ended.
        done: Told of each task that has ended: its record, and the error where there is none.
    """
    busy = 0
    while True:
        while (idle := pool.idle()) and (placed := take(idle)) is not None:
            pool.start(*placed)
            busy += 1
        if not busy:
            return
        for task, record, error in pool.finished():
            busy -= 1
            done(task, record, error)
