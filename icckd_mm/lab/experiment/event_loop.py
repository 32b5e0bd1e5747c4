"""The event loop of worker processes, used by plans, tunings and the benchmark of packing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Optional

from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import Task
from icckd_mm.lab.experiment.workers import Workers

Take = Callable[[list[str]], Optional[tuple[Task, str]]]
Done = Callable[[Task, Optional[Record], str], None]


def work(pool: Workers, take: Take, done: Done) -> None:
    """Start tasks on idle workers until no tasks are left and all have ended.

    Args:
        pool: The workers.
        take: Returns the next task and one of the GPUs of the idle workers; None while no task can start. It is called
            again after each task that ends.
        done: Called with each task that has ended, and its record or error.
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
