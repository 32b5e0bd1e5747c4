"""Processes that import torch once and then do run after run, each on one core."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing as mp
import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from icckd_mm.lab.experiment.peak_memory import new_peak
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import LOG, Task, train_run

ANSWERS = 8
RUNS_A_PROCESS = 50  # then a fresh one: mmengine keeps the log history of every run
SETTINGS = {'OMP_NUM_THREADS': '1', 'MKL_NUM_THREADS': '1'}


class Workers:
    """A fixed number of processes; one that dies is replaced, and its run counts as failed.

    Args:
        count (int): Number of processes.
        gpus (Sequence[str]): Values of ``CUDA_VISIBLE_DEVICES`` that they are dealt to in turn. Defaults to none.
    """

    def __init__(self, count: int, gpus: Sequence[str] = ()) -> None:
        self.gpus = gpus
        self.members = [_Member(self._gpu(index)) for index in range(count)]

    def idle(self) -> list[str]:
        """The GPU of each worker that waits for a task; ``''`` where there is none."""
        return [member.gpu for member in self.members if member.task is None]

    def start(self, task: Task, gpu: str = '') -> None:
        """Give ``task`` to an idle worker of that GPU."""
        index = next(index for index, member in enumerate(self.members) if member.task is None and member.gpu == gpu)
        if self.members[index].done >= RUNS_A_PROCESS:
            self.members[index].stop()
            self.members[index] = _Member(self._gpu(index))
        self.members[index].give(task)

    def finished(self) -> Iterator[tuple[Task, Record | None, str]]:
        """Wait for at least one task to end.

        Yields:
            tuple[Task, Record | None, str]: The task, its record, and the error where there is none.
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
        """End all processes, also those at work."""
        for member in self.members:
            member.stop()

    def _gpu(self, index: int) -> str:
        return self.gpus[index % len(self.gpus)] if self.gpus else ''


class _Member:
    """One process and the pipe to it; it starts with its first task."""

    def __init__(self, gpu: str) -> None:
        self.gpu = gpu
        self.pipe, other = mp.get_context('spawn').Pipe()
        self.process = mp.get_context('spawn').Process(target=_serve, args=(other,))  # no daemon: data loaders have children
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

    def stop(self) -> None:
        self.pipe.close()
        if self.other is None:
            self.process.terminate()
            self.process.join()


def _serve(pipe: Connection) -> None:
    """What a worker does: run after run, until the pipe or its parent ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        pipe.send(_attempt(task))


def _attempt(task: Task) -> tuple[Record | None, str]:
    """Run one task, with everything it prints in its own log."""
    log = Path(task.folder, LOG)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, 'ab') as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        _prepare()
        return train_run(task), ''
    except Exception as error:
        from icckd_mm.engine.errors import describe

        traceback.print_exc()
        return None, describe(error)
    finally:
        new_peak()  # other runs may want the memory
        sys.stdout.flush()
        sys.stderr.flush()


@functools.lru_cache(maxsize=1)
def _prepare() -> None:
    """One thread; and mmengine, which lays out the text of the config anew for every checkpoint, does so once a run."""
    import cv2
    import torch
    from mmengine.config import config

    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    config.FormatCode = _remembering(config.FormatCode)


def _remembering(function: Callable) -> Callable:
    """``function`` with its last few answers at hand; its arguments need not be hashable."""
    answers: dict[str, Any] = {}

    def remembering(*args: Any, **kwargs: Any) -> Any:
        key = repr((args, sorted(kwargs.items())))
        if key not in answers:
            if len(answers) >= ANSWERS:
                answers.clear()
            answers[key] = function(*args, **kwargs)
        return answers[key]

    return remembering


def _end_with_parent() -> None:
    """A runner that is killed cannot stop its workers, and the next runner must not meet them."""
    parent: Any = mp.parent_process()
    wait([parent.sentinel])
    os._exit(1)


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
