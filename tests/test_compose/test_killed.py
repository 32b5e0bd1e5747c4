"""A call that is killed leaves a folder that the next one removes."""

import os
import signal
import subprocess
import sys

import pytest

from icckd_mm.compose import compose
from icckd_mm.compose.target import PREFIX

CALL = "import sys; from icckd_mm.compose import compose; compose('resnet8', 'resnet8', sys.argv[1], 'ce,kd', out=sys.argv[2])"


@pytest.fixture
def killed(six, tmp_path):
    """Folder that a call has left which was killed while it checked the first config."""
    out = tmp_path / 'experiments/mine'
    call = [sys.executable, '-c', CALL, str(six), str(out)]
    process = subprocess.Popen(call, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert any(line.startswith('checking teacher') for line in process.stdout)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
    process.stdout.close()
    return out


@pytest.mark.slow
def test_what_a_killed_call_has_left_goes_at_the_next_one_and_all_else_stays(killed, six):
    assert not killed.exists()
    (left,) = killed.parent.glob(f'{PREFIX}*')
    assert list(left.rglob('data.py'))
    for name in ('notes', 'copy'):
        (killed.parent / f'{PREFIX}{name}').mkdir()
    for name in ('lock', 'old'):  # as killed between two renamings
        (killed.parent / f'{PREFIX}copy' / name).touch()
    compose('resnet8', 'resnet8', str(six), 'ce,kd', out=killed, epochs=1, batch=4, say=lambda line: None)
    assert sorted(path.name for path in killed.parent.iterdir()) == [f'{PREFIX}copy', f'{PREFIX}notes', 'mine']
