import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason='the defect is that of a machine without an accelerator')
SCRIPT = Path(__file__).with_name('tiny_runner.py')

UNMENDED = """
import torch
from mmengine.dist.utils import _init_dist_pytorch, _init_dist_slurm
from mmengine.model import MMDistributedDataParallel
outcome = []
for launch in (_init_dist_slurm, _init_dist_pytorch):
    try:
        launch('gloo')
        outcome.append('launched')
        torch.distributed.destroy_process_group()
    except (RuntimeError, AssertionError):
        outcome.append('launch failed')
torch.distributed.init_process_group('gloo')
try:
    MMDistributedDataParallel(torch.nn.Linear(2, 2), device_ids=[0])
    outcome.append('wrapped')
except ValueError:
    outcome.append('wrapper failed')
report(outcome)
"""


def free_port():
    with socket.socket() as connection:
        connection.bind(('127.0.0.1', 0))
        return str(connection.getsockname()[1])


def test_mmengine_alone_still_fails_on_a_cpu(python):
    rank = {'RANK': '0', 'LOCAL_RANK': '0', 'WORLD_SIZE': '1', 'MASTER_ADDR': '127.0.0.1', 'MASTER_PORT': free_port()}
    slurm = {'SLURM_PROCID': '0', 'SLURM_LOCALID': '0', 'SLURM_NTASKS': '1', 'SLURM_NODELIST': 'localhost'}
    assert python(UNMENDED, **rank, **slurm) == ['launch failed', 'launch failed', 'wrapper failed'], (
        'mmengine launches by itself now: cpu_launch.py can go'
    )


def test_two_processes_train_one_model_on_a_cpu(tmp_path):
    arguments = {'work_dir': str(tmp_path), 'launcher': 'pytorch', 'max_epochs': 2}
    command = [sys.executable, '-m', 'torch.distributed.run', '--nproc_per_node=2', '--master_addr=127.0.0.1']
    command += [f'--master_port={free_port()}', str(SCRIPT), '1', json.dumps(arguments)]
    done = subprocess.run(
        command, env={**os.environ, 'OMP_NUM_THREADS': '1'}, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr.count('the processes communicate through gloo instead of nccl') == 1
    first, second = (json.loads((tmp_path / f'rank_{rank}.json').read_text()) for rank in (0, 1))
    assert first[:2] == second[:2] == ['MMDistributedDataParallel', 2]
    learned = [name for name in first[2] if 'running' not in name]  # batch statistics are of each process, weights are shared
    assert {name: first[2][name] for name in learned} == {name: second[2][name] for name in learned}
