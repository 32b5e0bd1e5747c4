"""Runs a plan in parallel; interrupted runs are resumed or restarted."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Callable

from icckd_mm.engine.process.folder_lock import folder_lock
from icckd_mm.lab.clock import clock
from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.data_check import check_data
from icckd_mm.lab.experiment.event_loop import work
from icckd_mm.lab.experiment.graph import Run, needed
from icckd_mm.lab.experiment.packing import GpuSlots
from icckd_mm.lab.experiment.results import EARLIER, RESULTS, Record, append_result, read_record, read_results, write_results
from icckd_mm.lab.experiment.run_queue import RunQueue
from icckd_mm.lab.experiment.train_run import LOG, RESULT, Task, last_checkpoint
from icckd_mm.lab.experiment.workers import Workers

ALIKE = 3  # the first runs of a call; if all fail with one error, the others would, too


class Study:
    """A plan's graph and the folder of its runs.

    Args:
        graph: From :func:`icckd_mm.lab.experiment.graph.build_graph`.
        folder: Work dir: ``results.jsonl``, and ``runs/NAME`` for each run.
        seconds: Expected time of a run until one has ended. Defaults to None: unknown.
        say: Called with each line of progress. Defaults to ``print``.
        strict_data: As in the plan.
    """

    def __init__(
        self,
        graph: dict[str, Run],
        folder: str | Path,
        seconds: float | None = None,
        say: Callable[[str], None] = print,
        strict_data: bool = True,
    ) -> None:
        self.graph, self.folder, self.seconds, self.say = graph, Path(folder), seconds, say
        self.strict_data = strict_data
        self.results = self.folder / RESULTS

    def path(self, run: Run | str) -> Path:
        """Folder of a run."""
        return self.folder / 'runs' / (run if isinstance(run, str) else run.name)

    def records(self) -> dict[str, Record]:
        """Finished records by name of the run: from ``results.jsonl`` or, after a kill, from the folder of the run."""
        found = {
            record['run']: record
            for name in (EARLIER, RESULTS)
            for record in read_results(self.folder / name)
            if record['run'] in self.graph
        }
        for name in self.graph.keys() - found.keys():
            with contextlib.suppress(OSError):
                found[name] = read_record(self.path(name) / RESULT)
        return found

    def todo(self) -> list[Run]:
        """The runs still to do, parents before children."""
        kept = {run.name for run in self.graph.values() if last_checkpoint(self.path(run), run).is_file()}
        return needed(self.graph, set(self.records()), kept)

    def seconds_left(self, todo: list[Run], workers: int) -> float | None:
        """Expected time for ``todo``: the mean of the finished runs of the same stage and method, or of all.

        Args:
            todo: Runs.
            workers: Number of runs at a time.

        Returns:
            Seconds; None if unknown.
        """
        times: dict[tuple[str, str], list[float]] = {}
        for name, record in self.records().items():
            if not record['time']['resumed']:
                recipe = self.graph[name].recipe
                times.setdefault((recipe.stage, recipe.method), []).append(record['time']['wall_s'])
        everything = [value for values in times.values() for value in values]
        general = sum(everything) / len(everything) if everything else self.seconds
        if general is None:
            return None
        means = {key: sum(values) / len(values) for key, values in times.items()}
        return sum(means.get((run.recipe.stage, run.recipe.method), general) for run in todo) / workers

    def task(self, run: Run, resume: bool) -> Task:
        """The task of ``run`` for a worker."""
        parent = self.graph[run.parent] if run.parent else None
        checkpoint = str(last_checkpoint(self.path(parent), parent)) if parent else None
        return Task(run, str(self.path(run)), checkpoint, resume, code_version())

    def run(self, workers: int, resume: bool, gpus: Sequence[str] = (), memory: float | None = None) -> dict[str, str]:
        """Do the remaining runs of the plan.

        Args:
            workers: Number of runs at a time.
            resume: Whether unfinished runs resume from their newest checkpoint; else they start from scratch.
            gpus: GPUs to use. Defaults to none.
            memory: See ``assumed`` of :class:`icckd_mm.lab.experiment.packing.GpuSlots`. Defaults to None.

        Returns:
            Runs that failed or could not start, with the reason.

        Raises:
            ValueError: If another runner is at work in the folder, or images of a data set cannot be used.
        """
        with folder_lock(self.folder):
            self._tidy()
            todo = self.todo()
            self.check_data(todo)
            failed = self._work(todo, workers, resume, GpuSlots(gpus, workers, self.records().values(), memory))
            self._tidy()
        return failed

    def check_data(self, todo: Sequence[Run]) -> None:
        """Look at some images of each data set before any run starts."""
        for warning in check_data(todo, self.strict_data):
            self.say(f'warning: {warning}')

    def collect(self) -> None:
        """Write ``results.jsonl`` from the records in the folders of the runs."""
        with folder_lock(self.folder):
            self._tidy()

    def _work(self, todo: list[Run], workers: int, resume: bool, slots: GpuSlots) -> dict[str, str]:
        self.say(
            f'{len(self.graph)} runs, {len(self.graph) - len(todo)} of them finished; {workers} at a time in {self.folder}'
        )
        queue = RunQueue(todo, slots)
        pool = Workers(min(workers, max(len(todo), 1)), [gpu for gpu in slots.free if gpu])
        failed: dict[str, str] = {}
        errors: list[str] = []
        ended, start = 0, time.perf_counter()

        def take(idle: list[str]) -> tuple[Task, str] | None:
            placed = queue.take(idle)
            return placed and (self.task(placed[0], resume), placed[1])

        def done(task: Task, record: Record | None, error: str) -> None:
            nonlocal ended
            ended += 1
            name, left = task.run.name, queue.end(task.run, record)
            if record is None:
                self.say(f'FAILED {name}: {error[:300]}')
                failed[name] = f'see {Path(task.folder, LOG)}'
                failed.update(dict.fromkeys(left, f'not run, because {name} failed'))
                errors.append(error.replace(task.folder, '').replace(name, ''))
                if ended == len(errors) == ALIKE and len(set(errors)) == 1 and queue.waiting:
                    self.say(f'the first {ALIKE} runs failed alike: no further run starts')
                    failed.update(dict.fromkeys(queue.cancel(), f'not run, because the first {ALIKE} runs failed alike'))
                return
            append_result(self.results, record)
            figures = f'{record["last_accuracy"]:6.2f} %  {record["time"]["wall_s"]:5.1f} s'
            rest = (time.perf_counter() - start) / ended * len(queue.open)
            self.say(f'[{len(todo) - len(queue.open)}/{len(todo)}] {name}  {figures}  time left {clock(rest)}')

        try:
            work(pool, take, done)
        finally:
            pool.stop()
        return failed

    def _tidy(self) -> None:
        """Results of this plan, sorted; those of an earlier plan or version of the code go to ``earlier.jsonl``."""
        foreign = [record for record in read_results(self.results) if record['run'] not in self.graph]
        if foreign:
            self.say(f'{len(foreign)} results are not of this plan and code; they are moved to {self.folder / EARLIER}')
            write_results(self.folder / EARLIER, [*read_results(self.folder / EARLIER), *foreign])
        write_results(self.results, self.records().values())
