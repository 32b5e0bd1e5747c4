"""The launch scripts as users call them; only without a GPU, as they would need two."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
TEACHER = 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py'
SMALL = ['train_cfg.max_epochs=1', 'train_dataloader.dataset.indices=64', 'train_dataloader.batch_size=16']
on_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason='would ask for two GPUs')

# plays Slurm on this machine: notes its arguments, then starts the tasks; the first failure is its own
SRUN = """#!/usr/bin/env bash
printf '%s\\n' "$@" MASTER_PORT="$MASTER_PORT" > "$SRUN_LOG"
[ -z "${SRUN_TASKS:-}" ] && exit 0
while [[ $1 == --* ]]; do shift; done
for ((task = 0; task < SRUN_TASKS; task++)); do
  SLURM_PROCID=$task SLURM_LOCALID=$task SLURM_NTASKS=$SRUN_TASKS SLURM_NODELIST=localhost "$@" &
done
for ((task = 0; task < SRUN_TASKS; task++)); do wait -n || exit; done
"""


def shell(script, *arguments, **environment):
    return subprocess.run(
        ['bash', f'tools/{script}', *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        env={**os.environ, 'PYTHON': sys.executable, 'OMP_NUM_THREADS': '1', **environment},
        timeout=240,
    )


@pytest.fixture
def slurm(tmp_path):
    """The environment in which our ``srun`` and ``scontrol`` are found first, and the file with srun's arguments."""
    folder = tmp_path / 'bin'
    folder.mkdir()
    for name, text in (('srun', SRUN), ('scontrol', '#!/bin/sh\necho 127.0.0.1\n')):
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    return dict(PATH=f'{folder}:{os.environ["PATH"]}', SRUN_LOG=str(tmp_path / 'srun.log')), tmp_path / 'srun.log'


@pytest.mark.parametrize('script', ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh'])
def test_without_arguments_the_usage_is_shown(script):
    done = shell(script)
    assert done.returncode == 2
    assert done.stderr.startswith('usage: ')
    assert done.stderr.count('\n') == 1
    assert subprocess.run(['bash', '-n', f'tools/{script}'], cwd=ROOT, check=False).returncode == 0
    assert os.access(ROOT / 'tools' / script, os.X_OK)


def test_processes_must_be_a_number():
    for wrong in ('two', '0', '-1'):
        assert shell('dist_train.sh', TEACHER, wrong).stderr.startswith('usage: ')


@on_cpu
def test_two_processes_train_and_test_one_model(tmp_path):
    """dist_train.sh, then dist_test.sh on what it saved: batches of 16 on each, 64 images in the one queue."""
    done = shell('dist_train.sh', TEACHER, 2, '--work-dir', tmp_path, '--no-validate', '--cfg-options', *SMALL)
    assert done.returncode == 0, done.stderr[-3000:]
    checkpoint = torch.load(tmp_path / 'epoch_1.pth', weights_only=True)
    assert checkpoint['meta']['iter'] == 2
    assert int(checkpoint['state_dict']['icc_loss.queue.filled'].sum()) == 64
    options = ['--work-dir', tmp_path, '--out', tmp_path / 'm.json', '--out-item', 'metrics']
    options += ['--cfg-options', 'test_dataloader.dataset.indices=40']
    done = shell('dist_test.sh', TEACHER, tmp_path / 'epoch_1.pth', 2, *options)
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'accuracy/top1' in (tmp_path / 'm.json').read_text()


@on_cpu
def test_a_killed_process_ends_the_run_with_an_error(tmp_path):
    """Reliability test 11: kill -9 in the third step of one of two; nothing hangs, and the exit status says so."""
    (tmp_path / 'killed.py').write_text(
        'import os, signal\nfrom mmengine.hooks import Hook\nfrom mmengine.registry import HOOKS\n\n'
        '@HOOKS.register_module()\nclass Killed(Hook):\n'
        '    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):\n'
        '        open(os.path.join(runner.work_dir, f"rank{runner.rank}.pid"), "w").write(str(os.getpid()))\n'
        '        if (runner.rank, runner.iter) == (1, 2):\n            os.kill(os.getpid(), signal.SIGKILL)\n'
    )
    (tmp_path / 'config.py').write_text(
        f"_base_ = '{ROOT / TEACHER}'\ncustom_imports = dict(imports=['killed'])\n"
        "custom_hooks = [*_base_.custom_hooks, dict(type='mmengine.Killed')]\n"
    )
    options = ['--work-dir', tmp_path, '--no-validate', '--cfg-options', 'train_cfg.max_epochs=200', *SMALL[1:]]
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get('PYTHONPATH')])])
    done = shell('dist_train.sh', tmp_path / 'config.py', 2, *options, PYTHONPATH=path)
    assert done.returncode != 0
    assert 'Signal 9 (SIGKILL)' in done.stderr
    assert time.time() - (tmp_path / 'rank1.pid').stat().st_mtime < 60  # since its last step
    assert not Path('/proc', (tmp_path / 'rank0.pid').read_text()).exists()


@on_cpu
@pytest.mark.slow
@pytest.mark.parametrize('goes_on', [True, False])
def test_a_stopped_process_is_waited_for_as_long_as_the_time_limit_says(goes_on, tmp_path):
    """SIGSTOP to one of three, as a debugger or a suspended machine does; after SIGCONT the run ends normally."""
    (tmp_path / 'paused.py').write_text(
        'import os, signal, subprocess\nfrom mmengine.hooks import Hook\nfrom mmengine.registry import HOOKS\n\n'
        '@HOOKS.register_module()\nclass Paused(Hook):\n'
        '    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):\n'
        '        if (runner.rank, runner.iter) == (1, 1):\n'
        f'            if {goes_on}:\n'
        '                subprocess.Popen(["sh", "-c", f"sleep 3; kill -CONT {os.getpid()}"])\n'
        '            os.kill(os.getpid(), signal.SIGSTOP)\n'
    )
    (tmp_path / 'config.py').write_text(
        f"_base_ = '{ROOT / TEACHER}'\ncustom_imports = dict(imports=['paused'])\n"
        "custom_hooks = [*_base_.custom_hooks, dict(type='mmengine.Paused')]\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get('PYTHONPATH')])])
    options = ['--work-dir', tmp_path, '--no-validate', '--cfg-options', 'env_cfg.dist_cfg.timeout=20', *SMALL]
    done = shell('dist_train.sh', tmp_path / 'config.py', 3, *options, PYTHONPATH=path)
    assert (done.returncode == 0) == goes_on, done.stderr[-3000:]
    assert (tmp_path / 'epoch_1.pth').exists() == goes_on
    if not goes_on:
        assert 'Timed out waiting 20000ms' in done.stderr


@on_cpu
def test_slurm_tasks_train_one_model_on_a_cpu(tmp_path, slurm):
    """The environment of two Slurm tasks; mmengine's launcher for them wants a GPU without compat/cpu_launch.py."""
    environment, _ = slurm
    options = ['--no-validate', '--cfg-options', *SMALL]
    done = shell(
        'slurm_train.sh', 'any', 'job', TEACHER, tmp_path / 'out', *options, GPUS='2', CPU='1', SRUN_TASKS='2', **environment
    )
    assert done.returncode == 0, done.stderr[-3000:]
    checkpoint = torch.load(tmp_path / 'out/epoch_1.pth', weights_only=True)
    assert int(checkpoint['state_dict']['icc_loss.queue.filled'].sum()) == 64


def test_what_slurm_is_asked_for(tmp_path, slurm):
    environment, log = slurm
    flags = ['part', 'name', TEACHER, tmp_path / 'a b', '--seed', '3']
    done = shell('slurm_train.sh', *flags, GPUS='16', PORT='1234', SRUN_ARGS='--time=1:00 --quiet', **environment)
    assert done.returncode == 0, done.stderr
    asked = log.read_text().splitlines()
    for argument in (
        *('--partition=part', '--job-name=name', '--ntasks=16', '--ntasks-per-node=8', '--gres=gpu:8', '--cpus-per-task=5'),
        *(
            '--kill-on-bad-exit=1',
            '--time=1:00',
            '--quiet',
            f'--work-dir={tmp_path}/a b',
            '--launcher=slurm',
            'MASTER_PORT=1234',
        ),
    ):
        assert argument in asked
    assert asked[-3:-1] == ['--seed', '3']
    shell('slurm_train.sh', *flags, GPUS='2', **environment)
    asked = log.read_text().splitlines()
    assert '--ntasks-per-node=2' in asked
    assert 20000 <= int(asked[-1].split('=')[1]) < 30000
    shell('slurm_train.sh', *flags, GPUS='2', CPU='1', **environment)
    assert '--gres' not in log.read_text()


def test_several_machines_need_an_address():
    done = shell('dist_train.sh', TEACHER, 1, NNODES='2')
    assert done.returncode == 2
    assert done.stderr == (
        'NNODES=2 needs MASTER_ADDR, the address of the machine with NODE_RANK=0, the same on all machines\n'
    )


@pytest.mark.parametrize('wrong', [dict(GPUS='0'), dict(GPUS='two'), dict(GPUS='-8'), dict(GPUS='4', GPUS_PER_NODE='8')])
def test_a_wrong_number_of_gpus_never_reaches_slurm(wrong, slurm):
    environment, log = slurm
    done = shell('slurm_train.sh', 'part', 'name', TEACHER, 'out', **wrong, **environment)
    assert done.returncode == 2
    assert 'is not a multiple of GPUS_PER_NODE=' in done.stderr
    assert not log.exists()


def test_unequal_machines_are_refused(slurm):
    environment, log = slurm
    done = shell('slurm_train.sh', 'part', 'name', TEACHER, 'out', GPUS='12', **environment)
    assert done.returncode == 2
    assert done.stderr == ('GPUS=12 is not a multiple of GPUS_PER_NODE=8; all machines need the same number of processes\n')
    assert not log.exists()
