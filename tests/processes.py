"""Processes that communicate through gloo, started once and used for many tasks, since each import of torch takes seconds."""

import io
import os
import socket
import traceback

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def free_port():
    with socket.socket() as connection:
        connection.bind(('127.0.0.1', 0))
        return connection.getsockname()[1]


class Processes:
    """``size`` spawned processes.

    A task is a function of a module and arguments that pickle; its tensors come back as they were.
    """

    def __init__(self, size):
        context = mp.get_context('spawn')
        self.tasks = [context.SimpleQueue() for _ in range(size)]
        self.results = context.Queue()
        self.members = [context.Process(target=_serve, args=(tasks, self.results), daemon=True) for tasks in self.tasks]
        for member in self.members:
            member.start()

    def run(self, function, *args, world=2, first=0):
        """What each of ``world`` ranks returns, in rank order; member ``first`` becomes rank 0."""
        port = free_port()
        for rank in range(world):
            self.tasks[(first + rank) % len(self.tasks)].put((function, args, rank, world, port))
        found = {}
        for _ in range(world):
            rank, content = self.results.get(timeout=120)
            error, found[rank] = torch.load(io.BytesIO(content), weights_only=False)  # ours
            assert error is None, error
        return [found[rank] for rank in range(world)]

    def close(self):
        for tasks in self.tasks:
            tasks.put(None)
        for member in self.members:
            member.join(timeout=10)
            member.terminate()  # one that waits for a rank that failed


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
