"""Processes that communicate through gloo, started once and used for many tasks, since each import of torch takes seconds.

Tests take the fixture ``processes``.
"""

import io
import os
import queue
import runpy
import socket
import sys
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.logging import MMLogger


def free_port():
    with socket.socket() as connection:
        connection.bind(('127.0.0.1', 0))
        return connection.getsockname()[1]


class Processes:
    """Up to ``size`` spawned processes, each started by its first task.

    A task is a function of a module and arguments that pickle; its tensors come back as they were.
    """

    def __init__(self, size):
        self.context = mp.get_context('spawn')
        self.size, self.members = size, {}
        self.results = self.context.Queue()

    def start(self, number):
        """The queue of tasks of a member."""
        if number not in self.members:
            tasks = self.context.SimpleQueue()
            process = self.context.Process(target=_serve, args=(tasks, self.results), daemon=True)
            process.start()
            self.members[number] = process, tasks
        return self.members[number][1]

    def run(self, function, *args, world=2, first=0):
        """What each of ``world`` ranks returns, in rank order; member ``first`` becomes rank 0.

        A group that never forms, as once in a long run, is tried again with new processes; a task that hangs fails both times.
        """
        try:
            return self._run(function, args, world, first)
        except queue.Empty:
            return self._run(function, args, world, first)

    def _run(self, function, args, world, first):
        port, found = free_port(), {}
        try:
            for rank in range(world):
                self.start((first + rank) % self.size).put((function, args, rank, world, port))
            for _ in range(world):
                rank, content = self.results.get(timeout=120)
                error, found[rank] = torch.load(io.BytesIO(content), weights_only=False)  # ours
                assert error is None, error
        except BaseException:  # the next test must not get what a late rank of this one says
            self.close()
            raise
        return [found[rank] for rank in range(world)]

    def close(self):
        for _, tasks in self.members.values():
            tasks.put(None)
        for process, _ in self.members.values():
            process.join(timeout=10)
            process.terminate()  # one that waits for a rank that failed
        self.members, self.results = {}, self.context.Queue()


def join(rank, world, port):
    """Make this process one of a group."""
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(port))
    os.environ.update(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(world))  # what mmengine looks at
    dist.init_process_group('gloo', rank=rank, world_size=world)


def _serve(tasks, results):
    torch.set_num_threads(1)
    for function, args, rank, world, port in iter(tasks.get, None):
        join(rank, world, port)
        try:
            result = None, function(*args)
        except BaseException:  # the others wait for this rank: tell the test now
            result = traceback.format_exc(), None
        content = io.BytesIO()  # not as shared memory, which would end with this process
        torch.save(result, content)
        results.put((rank, content.getvalue()))
        dist.destroy_process_group()


def run_script(path, *arguments, before=None):
    """Exit status, output and errors of a script that is run as ``__main__`` in a fork, which need not import torch again.

    Args:
        path: The script.
        *arguments: What stands behind it on the command line.
        before: Is called in the fork first, such as to set a limit.
    """
    ends = [os.pipe() for _ in range(2)]
    process = mp.get_context('fork').Process(target=_as_main, args=(str(path), arguments, before, [end[1] for end in ends]))
    process.start()
    for _, write in ends:
        os.close(write)
    with ThreadPoolExecutor(2) as readers:
        out, err = readers.map(lambda end: os.fdopen(end[0], encoding='utf-8').read(), ends)
    process.join()
    return process.exitcode, out, err


def _as_main(path, arguments, before, ends):
    for number, (name, end) in enumerate(zip(('stdout', 'stderr'), ends), start=1):
        os.dup2(end, number)
        setattr(sys, name, os.fdopen(number, 'w', buffering=1, closefd=False))
    MMLogger._instance_dict.clear()  # each command finds loggers and warnings as a new process does
    warnings.resetwarnings()
    for category in (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning):
        warnings.simplefilter('ignore', category)
    sys.argv = [path, *map(str, arguments)]
    if before:
        before()
    runpy.run_path(path, run_name='__main__')
