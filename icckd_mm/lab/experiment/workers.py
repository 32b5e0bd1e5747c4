"""Worker processes that import torch once and do one run after another, each on one core."""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import os
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait

from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import Task
from icckd_mm.lab.experiment.worker_process import serve

PATIENCE = 60.0  # seconds for an iteration and its checkpoint
RUNS_PER_PROCESS = 50  # then it is replaced: mmengine keeps the log history of every run
SETTINGS = {'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}


class Workers:
    """A fixed number of processes; one that dies is replaced, and its run counts as failed.

    Args:
        count: Number of processes.
        gpus: Values of ``CUDA_VISIBLE_DEVICES``, assigned to them in turn. Defaults to none.
    """

    def __init__(self, count: int, gpus: Sequence[str] = ()) -> None:
        self.gpus = gpus
        self.members = [_Member(self._gpu(index)) for index in range(count)]

    def idle(self) -> list[str]:
        """The GPU of each idle worker; ``''`` without GPUs."""
        return [member.gpu for member in self.members if member.task is None]

    def start(self, task: Task, gpu: str = '') -> None:
        """Start ``task`` on an idle worker of that GPU."""
        index = next(index for index, member in enumerate(self.members) if member.task is None and member.gpu == gpu)
        if self.members[index].done >= RUNS_PER_PROCESS:
            self.members[index].stop()
            self.members[index] = _Member(self._gpu(index))
        self.members[index].give(task)

    def finished(self) -> Iterator[tuple[Task, Record | None, str]]:
        """Wait for at least one task to end.

        Yields:
            The task, and its record or error.
        """
        busy = {member.pipe: index for index, member in enumerate(self.members) if member.task is not None}
        for pipe in wait(list(busy)):
            index = busy[pipe]  # type: ignore[index]
            member = self.members[index]
            task = member.task
            assert task is not None
            try:
                record, error = member.take()
            except (EOFError, OSError):
                member.stop()
                record, error = None, f'the process ended by itself (exit status {member.process.exitcode}; out of memory?)'
                self.members[index] = _Member(self._gpu(index))
            yield task, record, error

    def stop(self) -> None:
        """Stop all processes; busy ones save their state first."""
        for member in self.members:
            member.ask_to_stop()
        for member in self.members:
            member.stop()

    def _gpu(self, index: int) -> str:
        return self.gpus[index % len(self.gpus)] if self.gpus else ''


class _Member:
    """One process and the pipe to it; it starts with its first task."""

    def __init__(self, gpu: str) -> None:
        self.gpu = gpu
        self.pipe, other = mp.get_context('spawn').Pipe()
        self.process = mp.get_context('spawn').Process(target=serve, args=(other,))  # not a daemon: data loaders have children
        self.settings = {**SETTINGS, 'CUDA_VISIBLE_DEVICES': gpu} if gpu else SETTINGS
        self.other: Connection | None = other
        self.task: Task | None = None
        self.done = 0

    def give(self, task: Task) -> None:
        if self.other is not None:
            with _environment(self.settings):  # before it imports torch
                self.process.start()
            self.other.close()  # so that the pipe ends with the process
            self.other = None
        self.task = task
        self.pipe.send(task)

    def take(self) -> tuple[Record | None, str]:
        answer = self.pipe.recv()
        self.task, self.done = None, self.done + 1
        return answer

    def ask_to_stop(self) -> None:
        if not self.pipe.closed:
            self.pipe.close()
            if self.other is None:
                self.process.terminate()

    def stop(self) -> None:
        self.ask_to_stop()
        if self.other is None:
            self.process.join(PATIENCE)
            self.process.kill()
            self.process.join()


@contextlib.contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
