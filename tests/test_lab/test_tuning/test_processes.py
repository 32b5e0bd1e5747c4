"""Several processes on one study: real processes, locks and journals, with made-up runs."""

import errno
import multiprocessing as mp
import os
import signal
import time
from pathlib import Path

import pytest

import icckd_mm.engine.process.folder_lock as folder_lock_module
import icckd_mm.lab.tuning.tuner as tuner_module
from icckd_mm.lab.tuning.report import tune_report
from icckd_mm.lab.tuning.tuner import Tuner
from tests.test_lab.test_tuning.stand import Stand, setting

PATIENCE = 120  # seconds; a generous bound of a hang


def tune(folder, name, pause=0.02, lacks_flock=False):
    """A tuning; NAME.started gets the runs that it starts, NAME.said its lines and at last its verdict."""

    class Logged(Stand):
        def __init__(self, count, gpus=()):
            super().__init__(count, gpus)
            self.pause = pause

        def start(self, task, gpu):
            self.tasks.append(task)
            write('started', task.run.name)

    def write(kind, line):
        with open(folder.parent / f'{name}.{kind}', 'a') as file:
            file.write(line + '\n')

    if lacks_flock:

        def flock(*arguments):
            raise OSError(errno.ENOLCK, 'no locks')

        folder_lock_module.fcntl.flock = flock
    tuner_module.Workers, tuner_module.POLL = Logged, 0.05
    tuner = Tuner(setting(folder, epochs=15, most=(5, 3)), 1e5, 1, say=lambda line: write('said', line))
    write('said', tune_report(tuner, tuner.run(), [])[1])


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def started(folder, name):
    return lines(folder / f'{name}.started')


@pytest.fixture
def begin(tmp_path):
    """Starts a tuning in a process of its own."""
    processes = []

    def start(name, **options):
        process = mp.get_context('fork').Process(target=tune, args=(tmp_path / 'work', name), kwargs=options)
        process.start()
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.join()


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def ended(*processes):
    for process in processes:
        process.join(PATIENCE)
        assert process.exitcode == 0


def results(folder):
    return {path.relative_to(folder).as_posix(): path.read_text() for path in Path(folder).glob('runs/*/*/*/result.json')}


@pytest.mark.parametrize('lacks_flock', [False, True])
def test_two_processes_share_a_study_and_train_nothing_twice(lacks_flock, begin, tmp_path):
    ended(begin('a', lacks_flock=lacks_flock), begin('b', lacks_flock=lacks_flock))
    first, second = started(tmp_path, 'a'), started(tmp_path, 'b')
    assert first
    assert second
    assert not set(first) & set(second)
    assert len(set(first + second)) == len(results(tmp_path / 'work')) == len(first + second)
    assert lines(tmp_path / 'a.said')[-1] == lines(tmp_path / 'b.said')[-1]


def test_a_killed_process_leaves_its_trial_to_the_next_which_ends_like_an_undisturbed_one(begin, tmp_path):
    ended(begin('alone'))
    alone = results(tmp_path / 'work')
    os.rename(tmp_path / 'work', tmp_path / 'undisturbed')
    names = []
    for turn, count in enumerate((1, 6)):  # within the first pair, and later
        process = begin(f'killed{turn}', pause=0.05)
        until(lambda turn=turn, count=count: len(started(tmp_path, f'killed{turn}')) >= count)
        process.kill()
        process.join()
        names += started(tmp_path, f'killed{turn}')
    ended(begin('last'))
    names += started(tmp_path, 'last')
    assert results(tmp_path / 'work') == alone
    assert len(names) <= len(set(names)) + 2  # what was running at a kill is started again, and nothing else
    assert lines(tmp_path / 'last.said')[-1] == lines(tmp_path / 'alone.said')[-1]


def test_a_trial_of_a_living_process_is_not_taken_however_long_it_takes(begin, tmp_path):
    slow = begin('slow', pause=0.3)
    until(lambda: len(started(tmp_path, 'slow')) >= 3)
    os.kill(slow.pid, signal.SIGSTOP)
    time.sleep(0.3)
    held = started(tmp_path, 'slow')
    other = begin('other')
    until(lambda: any(line.startswith('waiting: another run is at work in') for line in lines(tmp_path / 'other.said')))
    said = next(line for line in lines(tmp_path / 'other.said') if line.startswith('waiting'))
    assert f'process {slow.pid} on ' in said
    assert not set(held) & set(started(tmp_path, 'other'))
    os.kill(slow.pid, signal.SIGCONT)
    ended(slow, other)
    assert not set(started(tmp_path, 'slow')) & set(started(tmp_path, 'other'))
    assert lines(tmp_path / 'slow.said')[-1] == lines(tmp_path / 'other.said')[-1]
