"""The built wheel, without the repository and its installation."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from icckd_mm.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = (
    'icckd_mm',
    'configs',
    'tools',
    'requirements',
    'setup.py',
    'pyproject.toml',
    'README.md',
    'LICENSE',
    'model-index.yml',
)


@pytest.fixture(scope='module')
def installed(tmp_path_factory):
    """A folder with what the wheel holds, made from a copy of the sources."""
    folder = tmp_path_factory.mktemp('wheel')
    (folder / 'source').mkdir()
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / 'source' / name, ignore=shutil.ignore_patterns('__pycache__', '.mim'))
        else:
            shutil.copy(ROOT / name, folder / 'source')
    pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check', '-q']
    build = ['wheel', '--no-deps', '--no-build-isolation', '--wheel-dir', str(folder), str(folder / 'source')]
    subprocess.run([*pip, *build], check=True, capture_output=True)
    (wheel,) = folder.glob('*.whl')
    install = ['install', '--no-deps', '--no-index', '--target', str(folder / 'site'), str(wheel)]
    subprocess.run([*pip, *install], check=True, capture_output=True)
    shutil.rmtree(folder / 'source')
    return folder / 'site'


def test_the_zoo_and_the_configs_work_from_an_installed_wheel(installed, tmp_path):
    code = """
import icckd_mm, mmpretrain, os, sys
from mmengine.config import Config
assert icckd_mm.__file__.startswith(sys.argv[1]), icckd_mm.__file__
name = 'resnet8_icckd-kd_digits'
assert name in mmpretrain.list_models('*icckd*') and len(mmpretrain.list_models('*icckd*')) == 5
model = mmpretrain.get_model(name, pretrained=True)
assert model._metainfo.weights.startswith(sys.argv[1])
from icckd_mm.datasets import Digits
sample = Digits('test')[0]
assert mmpretrain.inference_model(name, sample['img'])['pred_label'] == sample['gt_label']
mim = os.path.join(os.path.dirname(icckd_mm.__file__), '.mim')
student = Config.fromfile(os.path.join(mim, 'configs/icckd/distill/kd_logits_resnet20_resnet8_1xb64_digits.py'))
assert student.model.architecture.backbone.depth == 8
from mmengine.hub import get_config
assert get_config('icckd_mm::icckd/distill/kd_logits_resnet20_resnet8_1xb64_digits.py').model == student.model
sys.path.insert(0, mim)
from tools.model_converters import verify
verify.main([os.path.join(mim, 'configs/icckd/zoo', name)])
print('fine')
"""
    environment = {**os.environ, 'PYTHONPATH': str(installed)}
    command = [sys.executable, '-c', code, str(installed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.splitlines()[-1].endswith('fine')
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_commands_work_from_an_installed_wheel_in_an_empty_folder(installed, tmp_path):
    def run(*words, status=0):
        environment = {**os.environ, 'PYTHONPATH': str(installed)}
        command = [sys.executable, '-m', 'icckd_mm', *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
        assert done.returncode == status, done.stderr[-2000:]
        return done.stdout + done.stderr

    teacher, student = 'icc_resnet20_1xb64_digits', 'icckd-kd_logits_resnet20_resnet8_1xb64_digits'
    for command in COMMANDS:
        assert f'usage: icckd-mm {command} ' in run(command, '--help')
    assert f'icckd_mm::icckd/teacher/{teacher}.py' in run('configs', '--data', 'digits')
    once = ['--cfg-options', 'train_cfg.max_epochs=1', 'param_scheduler.T_max=1']
    refused = run('train', f'icckd_mm::icckd/distill/{student}.py', *once, status=2)
    run('train', f'icckd_mm::icckd/teacher/{teacher}.py', *once)
    assert f'did you mean icckd_mm::icckd/teacher/{teacher}.py' in run('train', f'configs/{teacher}.py', status=2)
    assert f'python -m icckd_mm train icckd_mm::icckd/teacher/{teacher}.py' in refused
    run('train', f'icckd_mm::icckd/distill/{student}.py', *once, f'model.teacher_ckpt=work_dirs/{teacher}/epoch_1.pth')
    assert 'accuracy/top1' in run('test', f'icckd_mm::icckd/distill/{student}.py', f'work_dirs/{student}/epoch_1.pth')
    run('report', f'work_dirs/{teacher}', f'work_dirs/{student}', '--out', 'report.html')
    run('publish', f'work_dirs/{student}', '--out', 'published')
    run('verify', 'published')
    assert sorted(path.name for path in tmp_path.iterdir()) == ['published', 'report.html', 'work_dirs']
