"""Several processes, and a whole command, that are asked to stop."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from icckd_mm.engine.exact.checkpoint_difference import checkpoint_differences
from icckd_mm.engine.exact.checkpoint_search import newest_checkpoint
from tests.test_engine.test_process.test_interruption import Ask, last, trained

ROOT = Path(__file__).resolve().parents[3]
TEACHER = 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py'


def several(folder, asks, resume=False):
    """What a rank says: 12 iterations an epoch, so that the processes agree within it."""
    asks = [Ask('iter', iteration, signum, rank) for rank, (iteration, signum) in enumerate(asks)]
    options = dict(epochs=2, batch=4, images=96, launcher='pytorch', resume=resume, validate=False)
    found = trained(folder, *asks, **options)
    return found if isinstance(found[0], str) else len(found[1])


@pytest.mark.parametrize(
    ('asks', 'iteration', 'name'),
    [
        ([(3, signal.SIGUSR1), (4, signal.SIGUSR1)], 10, 'SIGUSR1'),  # one gets it an iteration later
        ([(100, signal.SIGTERM), (11, signal.SIGTERM)], 12, 'SIGTERM'),  # only the second is asked, near the end of an epoch
    ],
)
def test_processes_stop_at_the_same_iteration_and_resume_to_the_bit(asks, iteration, name, processes, tmp_path):
    never = [(100, signal.SIGTERM)] * 2
    assert processes.run(several, tmp_path / 'straight', never) == [24, 24]
    said = processes.run(several, tmp_path / 'stopped', asks)
    assert said[0] == said[1] == (said[0][0], 75)
    assert said[0][0].startswith(f'stopped by {name} after iteration {iteration}, saved as')
    assert processes.run(several, tmp_path / 'stopped', never, True) == [24 - iteration] * 2
    assert checkpoint_differences(last(tmp_path / 'straight'), last(tmp_path / 'stopped')) == []


SMALL = [
    *('train_cfg.max_epochs=40', 'train_dataloader.dataset.indices=64', 'train_dataloader.batch_size=16'),
    *('model.backbone.depth=8', 'train_dataloader.num_workers=1', 'val_dataloader.dataset.indices=40'),
]


@pytest.mark.parametrize('signum', [signal.SIGTERM, signal.SIGINT])
def test_a_command_ends_in_one_line_and_leaves_no_process(signum, tmp_path):
    words = [sys.executable, 'tools/train.py', TEACHER, '--work-dir', str(tmp_path), '--cfg-options', *SMALL]
    process = subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.time() + 200
    while not list(tmp_path.glob('epoch_*.pth')):
        assert process.poll() is None
        assert time.time() < deadline
        time.sleep(0.01)
    os.killpg(process.pid, signum)  # as a terminal and a cluster do: its data loader's workers, too
    _, error = process.communicate(timeout=100)
    assert process.returncode == (130 if signum == signal.SIGINT else 75)
    (line,) = (line for line in error.splitlines() if 'Warning' not in line and not line.startswith('  '))
    assert line.startswith(f'stopped by {signum.name} after iteration ')
    assert line.endswith('; the same command with --resume continues')
    file, _ = newest_checkpoint(tmp_path)
    assert f'saved as {file};' in line
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
