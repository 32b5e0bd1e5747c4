"""The launch scripts when a cluster preempts their job; srun and scontrol are scripts."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from icckd_mm.engine.exact.checkpoint_search import newest_checkpoint

ROOT = Path(__file__).resolve().parents[2]
TEACHER = 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py'

# as srun: hands SIGUSR1 to the tasks, kills all when one fails, and then reports the highest status
SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
tasks=()
for ((task = 0; task < ${SRUN_TASKS:-1}; task++)); do
  SLURM_PROCID=$task SLURM_LOCALID=$task SLURM_NTASKS=$SRUN_TASKS SLURM_NODELIST=localhost "$@" &
  tasks+=($!)
done
trap 'kill -USR1 "${tasks[@]}"' USR1
trap 'kill -KILL "${tasks[@]}"; exit 137' TERM
touch "$READY"
highest=0
for task in "${tasks[@]}"; do
  while true; do
    wait "$task"; status=$?
    kill -0 "$task" 2>/dev/null || break
  done
  if ((status)); then kill -KILL "${tasks[@]}" 2>/dev/null; fi
  if ((status > highest)); then highest=$status; fi
done
exit "${SRUN_STATUS:-$highest}"
"""
SCONTROL = '#!/bin/sh\n[ "$1" = show ] && echo 127.0.0.1 && exit\necho "$@" >> "$READY.scontrol"\n'
# as the training: notes its flags, and when it is asked to stop says so
TASK = """#!/usr/bin/env bash
mkdir -p "$WORK"; echo "$@" > "$WORK/flags"
trap 'echo 75 > "$ICCKD_MM_STATUS_FILE"; exit 75' USR1
[ -n "${ENDS:-}" ] && exit "$ENDS"
for ((i = 0; i < 600; i++)); do sleep 0.05; done
"""


@pytest.fixture
def cluster(tmp_path):
    """The environment in which our ``srun``, ``scontrol`` and task are found."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    for name, text in (('srun', SRUN), ('scontrol', SCONTROL), ('task', TASK)):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    own = dict(PATH=f'{folder}:{os.environ["PATH"]}', READY=str(tmp_path / 'ready'), WORK=str(tmp_path / 'out'))
    return {**os.environ, **own, 'CPU': '1', 'SLURM_JOB_ID': '77', 'PYTHON': str(folder / 'task')}


def start(environment, folder, *flags):
    words = ['bash', 'tools/slurm_train.sh', 'part', 'job', TEACHER, str(folder / 'out'), *flags]
    return subprocess.Popen(words, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)


def requeued(folder):
    file = folder / 'ready.scontrol'
    return file.read_text().split() if file.exists() else []


def wait_for(there, process, seconds=200):
    deadline = time.time() + seconds
    while not there():
        assert process.poll() is None, process.communicate()
        assert time.time() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize('signum', [signal.SIGUSR1, signal.SIGTERM])
@pytest.mark.parametrize('reported', ['', '137'])
def test_a_job_that_was_asked_to_stop_goes_back_into_the_queue(signum, reported, cluster, tmp_path):
    """Also where srun reports a process that it has killed, since another had ended before."""
    environment = {**cluster, 'SRUN_TASKS': '1', **({'SRUN_STATUS': reported} if reported else {})}
    process = start(environment, tmp_path, '--seed', '3')
    wait_for((tmp_path / 'out/flags').exists, process)
    time.sleep(0.3)
    process.send_signal(signum)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 75
    assert requeued(tmp_path) == ['requeue', '77']
    assert error.count('it is requeued') == 1
    assert sorted(file.name for file in (tmp_path / 'out').iterdir()) == ['flags']


@pytest.mark.parametrize(('status', 'job'), [('0', '77'), ('1', '77'), ('75', '77'), ('75', '')])
def test_only_status_75_of_a_job_is_requeued(status, job, cluster, tmp_path):
    process = start({**cluster, 'SRUN_TASKS': '1', 'ENDS': status, 'SLURM_JOB_ID': job}, tmp_path)
    process.communicate(timeout=60)
    assert process.returncode == int(status)
    assert requeued(tmp_path) == (['requeue', '77'] if status == '75' and job else [])


@pytest.mark.parametrize(
    ('flags', 'count', 'resumes'), [([], '0', 0), ([], '1', 1), (['--resume'], '2', 1), (['--resume=a.pth'], '2', 1)]
)
def test_a_requeued_job_resumes(flags, count, resumes, cluster, tmp_path):
    process = start({**cluster, 'SRUN_TASKS': '1', 'ENDS': '0', 'SLURM_RESTART_COUNT': count}, tmp_path, *flags)
    process.communicate(timeout=60)
    assert (tmp_path / 'out/flags').read_text().count('--resume') == resumes


@pytest.mark.skipif(torch.cuda.is_available(), reason='would ask for two GPUs')
def test_two_real_tasks_save_are_requeued_and_go_on(cluster, tmp_path):
    small = ['train_cfg.max_epochs=30', 'train_dataloader.dataset.indices=64', 'train_dataloader.batch_size=16']
    small += ['model.backbone.depth=8', 'train_dataloader.num_workers=0']
    environment = {**cluster, 'SRUN_TASKS': '2', 'GPUS': '2', 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1'}
    process = start(environment, tmp_path, '--no-validate', '--cfg-options', *small)
    wait_for(lambda: list((tmp_path / 'out').glob('epoch_*.pth')), process)
    process.send_signal(signal.SIGUSR1)
    _, error = process.communicate(timeout=200)
    assert process.returncode == 75, error
    assert requeued(tmp_path) == ['requeue', '77']
    assert error.count('stopped by SIGUSR1 after iteration') == 1  # of rank 0 alone
    file, _ = newest_checkpoint(tmp_path / 'out')
    seen = torch.load(file, weights_only=True)['meta']['iter']
    assert 0 < seen < 60
    small[0] = f'train_cfg.max_epochs={seen // 2 + 1}'
    process = start({**environment, 'SLURM_RESTART_COUNT': '1'}, tmp_path, '--no-validate', '--cfg-options', *small)
    _, error = process.communicate(timeout=200)
    assert process.returncode == 0, error
    assert int(newest_checkpoint(tmp_path / 'out')[0].stem.split('_')[1]) == seen // 2 + 1
