"""A training that is asked to stop, in this process by signals that it sends itself."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook

from icckd_mm.config.command_line import run
from icckd_mm.engine.exact.checkpoint_difference import checkpoint_differences
from icckd_mm.engine.exact.checkpoint_search import newest_checkpoint
from icckd_mm.engine.process import interruption
from icckd_mm.engine.process.interruption import Stopped
from icckd_mm.engine.process.stop_hook import StopHook
from tests.helpers import ICC, train

LENGTH = 4
SEVERAL = [None, signal.SIGTERM, signal.SIGUSR1, signal.SIGINT]


class Ask(Hook):
    """Sends a signal to this process at one moment of the run."""

    def __init__(self, moment, iteration, signum=signal.SIGTERM, rank=0):
        self.moment, self.iteration, self.signum, self.rank = moment, iteration, signum, rank

    def _maybe(self, runner, moment, iteration):
        if (moment, iteration, runner.rank) == (self.moment, self.iteration, self.rank):
            signal.raise_signal(self.signum)

    def before_train(self, runner):
        self._maybe(runner, 'before_train', runner.iter)

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self._maybe(runner, 'before_iter', runner.iter)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self._maybe(runner, 'iter', runner.iter + 1)

    def after_val_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self._maybe(runner, f'val{batch_idx}', runner.iter)

    def before_save_checkpoint(self, runner, checkpoint):
        self._maybe(runner, 'save', checkpoint['meta']['iter'])


def files(**options):
    return dict(
        checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1, max_keep_ckpts=1, **options),
        logger=dict(type='LoggerHook', interval=1),
    )


def trained(folder, *asks, epochs=3, loop='icckd_mm.ExactTrainLoop', **options):
    """Train with the hook of the commands; the line and the status of a run that was stopped."""
    options = {'validate': True, 'default_hooks': files(), **options}
    with interruption.handled():
        try:
            return train(folder, hooks=[ICC, StopHook(), *asks], train_cfg=dict(type=loop, max_epochs=epochs), **options)
        except Stopped as stopped:
            return str(stopped), stopped.status(resumes=True)


def last(folder):
    (file,) = (file for file in folder.glob('*.pth') if not file.name.startswith('best'))
    return torch.load(file, weights_only=True)


@pytest.fixture(scope='module')
def straight(tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp('straight')
    trained(folder)
    return last(folder)


@pytest.mark.parametrize(
    ('moment', 'iteration', 'seen'),
    [
        ('iter', 1, 1),
        ('before_iter', 5, 6),  # within an iteration
        ('iter', 8, 8),  # the last of an epoch
        ('save', 8, 8),  # while a checkpoint is written
        ('val0', 8, 8),
        ('iter', 12, 12),  # the very last
    ],
)
def test_a_stopped_run_is_resumed_to_the_bit(moment, iteration, seen, straight, tmp_path):
    signum = SEVERAL[1 + iteration % 3]
    line, status = trained(tmp_path, Ask(moment, iteration, signum))
    assert line.startswith(f'stopped by {signal.Signals(signum).name} after iteration {seen}, saved as {tmp_path}/')
    assert status == (130 if signum == signal.SIGINT else 75)
    file, refused = newest_checkpoint(tmp_path)
    assert line.endswith(str(file))
    assert refused == []
    assert (tmp_path / 'last_checkpoint').read_text() == str(file)
    _, steps = trained(tmp_path, resume=True)
    assert len(steps) == 3 * LENGTH - seen
    assert checkpoint_differences(straight, last(tmp_path)) == []  # and the file of the stop has gone


def test_before_the_first_iteration_nothing_is_saved(tmp_path):
    assert trained(tmp_path, Ask('before_train', 0)) == ('stopped by SIGTERM', 75)
    assert newest_checkpoint(tmp_path) == (None, [])


def test_a_validation_that_nothing_is_saved_before_comes_to_its_end(tmp_path):
    """The file of the epoch is not due: the stop must not lose the epoch."""
    rare = dict(default_hooks=dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=3)))
    line, _ = trained(tmp_path / 'stopped', Ask('val0', 4), **rare)
    assert 'after iteration 4, saved as' in line
    trained(tmp_path / 'stopped', resume=True, **rare)
    trained(tmp_path / 'straight', **rare)
    assert checkpoint_differences(last(tmp_path / 'straight'), last(tmp_path / 'stopped')) == []


@pytest.mark.parametrize(('iteration', 'kept'), [(6, 4), (8, 8)])
def test_a_loop_that_cannot_resume_within_an_epoch_says_what_is_lost(iteration, kept, tmp_path):
    line, status = trained(tmp_path, Ask('iter', iteration), loop='EpochBasedTrainLoop')
    assert status == 75
    assert (f'epoch_{kept // 4}.pth is lost, since only ExactTrainLoop' in line) == (kept != iteration)
    assert last(tmp_path)['meta']['iter'] == kept


def test_the_stock_checkpoint_hook_says_what_is_lost(tmp_path):
    stock = dict(checkpoint=dict(type='CheckpointHook', interval=1))
    line, _ = trained(tmp_path, Ask('iter', 2), default_hooks=stock)
    assert line.endswith('training is lost, since default_hooks.checkpoint is not an ExactCheckpointHook')


def test_handlers_are_there_within_a_command_only(capsys):
    before = [signal.getsignal(signum) for signum in interruption.SIGNALS]
    for resumes, signum, status in ((True, signal.SIGTERM, 75), (False, signal.SIGTERM, 143), (False, signal.SIGINT, 130)):
        with pytest.raises(SystemExit) as ended:
            run(lambda argv, signum=signum: signal.raise_signal(signum), [], resumes=resumes)
        assert ended.value.code == status
        error = capsys.readouterr().err
        assert error.startswith(f'stopped by {signum.name}')
        assert ('the same command with --resume continues' in error) == resumes
        assert error.count('\n') == 1
    assert [signal.getsignal(signum) for signum in interruption.SIGNALS] == before


def test_a_signal_while_other_code_catches_everything_still_is_a_request(monkeypatch, capsys):
    """mmengine turns whatever happens while it formats a config into a SyntaxError of its own."""

    def ask(text, **options):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr('mmengine.config.config.FormatCode', ask)
    with pytest.raises(SystemExit) as ended:
        run(lambda argv: Config(dict(x=1)).pretty_text, [], resumes=True)
    assert ended.value.code == 75
    assert capsys.readouterr().err == 'stopped by SIGTERM; the same command with --resume continues\n'


@pytest.mark.parametrize('error', [None, ValueError('wrong'), KeyError('x'), Stopped(signal.SIGTERM), SystemExit(3)])
def test_a_command_leaves_its_process_group_however_it_ends(error, tmp_path):
    """A thread of gloo that is alive at the exit aborts the process."""

    def main(argv):
        torch.distributed.init_process_group('gloo', init_method=f'file://{tmp_path}/store', rank=0, world_size=1)
        if error is not None:
            raise error

    with contextlib.suppress(SystemExit):
        run(main, [])
    assert not torch.distributed.is_initialized()


def in_child(function):
    """Exit status of a forked process, negative for a signal."""
    child = os.fork()
    if child == 0:
        try:
            with interruption.handled():
                function()
        finally:
            os._exit(99)
    return child


@pytest.mark.parametrize('pause', [0.1, 1.3])
def test_a_second_signal_ends_at_once_even_where_python_is_not_running(pause, capfd):
    """The main thread waits in C, as for a collective; a copy of the first signal does not count."""
    import ctypes

    def wait():
        interruption.defer(True)
        for _ in range(3):  # a signal ends one
            ctypes.CDLL(None).sleep(2)

    child = in_child(wait)
    time.sleep(0.5)
    os.kill(child, signal.SIGTERM)
    time.sleep(pause)
    os.kill(child, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == (143 if pause > 1 else 99)


def test_data_loader_workers_leave_signals_to_the_run(straight, tmp_path):
    """Clusters signal every process; a worker that dies of it would end the run with an error before it is saved."""

    class AskAll(Ask):
        def _maybe(self, runner, moment, iteration):
            if (moment, iteration) == (self.moment, self.iteration):
                children = Path(f'/proc/self/task/{os.getpid()}/children').read_text().split()
                assert children
                for pid in (*map(int, children), os.getpid()):
                    subprocess.run(['kill', '-TERM', str(pid)], check=True)  # not from the parent, which may end them
                    subprocess.run(['kill', '-USR1', str(pid)], check=True)
                time.sleep(0.3)

    from tests.helpers import CONV, config

    loader = {**config('unused', CONV).train_dataloader, 'num_workers': 2, 'persistent_workers': True}
    line, _ = trained(tmp_path, AskAll('before_iter', 5), train_dataloader=loader)
    assert 'after iteration 6, saved as' in line
    trained(tmp_path, resume=True)
    assert checkpoint_differences(straight, last(tmp_path)) == []
