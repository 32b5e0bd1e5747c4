"""A command leaves its process group however it ends; threads of gloo that are alive at exit abort the process."""

import os
import threading

import pytest
import torch.distributed as dist

from icckd_mm.config.command_line import run
from icckd_mm.engine.process import process_group
from icckd_mm.engine.process.process_group import leave_process_group


def join():
    dist.init_process_group('gloo', store=dist.HashStore(), rank=0, world_size=1)


def fail(error):
    raise error


ENDS = {
    'in order': (lambda: None, None),
    'with an error': (lambda: fail(RuntimeError('x')), 1),
    'with a status': (lambda: fail(SystemExit(7)), 7),
    'with an error of the user': (lambda: fail(KeyError('x')), 1),
}


@pytest.mark.parametrize('end', ENDS)
def test_the_group_is_left_however_a_command_ends(end, capsys):
    act, status = ENDS[end]

    def main(argv):
        join()
        act()

    try:
        if status is None:
            run(main, [])
        else:
            with pytest.raises(SystemExit) as caught:
                run(main, [])
            assert caught.value.code == status
        assert not dist.is_initialized()
    finally:
        if dist.is_initialized():
            dist.destroy_process_group()


def test_without_a_group_nothing_happens():
    leave_process_group(3)


def test_a_group_that_cannot_be_left_ends_the_process_with_its_status(monkeypatch):
    """After an error on one rank the others may wait in a collective for ever."""
    monkeypatch.setattr(process_group, 'PATIENCE', 0.1)
    child = os.fork()
    if child == 0:
        try:
            join()
            monkeypatch.setattr(dist, 'destroy_process_group', threading.Event().wait)
            leave_process_group(5)
        finally:
            os._exit(99)
    assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 5
