"""A checkpoint that does not exist: the message names those that do."""

import os

import pytest
import torch

from icckd_mm.config.fast import is_at_hand
from icckd_mm.config.missing_checkpoint import describe_missing
from tests.integration.test_tools import ROOT, STUDENT, TEACHER, command


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def work(tmp_path):
    """A work dir after two epochs."""
    for epoch in (1, 2):
        file = tmp_path / f'epoch_{epoch}.pth'
        torch.save({}, file)
        os.utime(file, (epoch, epoch))
    return tmp_path


def test_a_test_names_the_checkpoints_beside_a_missing_one(work):
    with pytest.raises(ValueError, match=r'^CHECKPOINT: .*epoch_9.pth does not exist; \S+ has epoch_2.pth, epoch_1.pth; give '):
        command('test')([TEACHER, str(work / 'epoch_9.pth'), '--work-dir', str(work)])


def test_a_test_names_those_of_the_work_dir_if_the_folder_has_none(work):
    with pytest.raises(ValueError, match=rf'nowhere/a.pth does not exist; {work} has epoch_2.pth'):
        command('test')([TEACHER, 'nowhere/a.pth', '--work-dir', str(work)])


def test_a_teacher_that_is_missing_is_searched_beside_its_name_alone(work, tmp_path):
    options = ['--work-dir', str(tmp_path / 'other'), '--cfg-options', f'model.teacher_ckpt={work}/best.pth']
    with pytest.raises(
        ValueError, match=r'^model.teacher_ckpt: .* has epoch_2.pth, epoch_1.pth; --cfg-options model.teacher_ckpt='
    ):
        command('train')([STUDENT, *options])
    assert 'epoch' not in describe_missing('model.teacher_ckpt', 'nowhere/a.pth', str(work))


def test_the_config_beside_that_trains_a_missing_teacher_is_named(tmp_path):
    """As compose writes them; of an ensemble the one that is missing."""
    (tmp_path / 'teacher2.py').touch()
    missing = "teacher_ckpt='work_dirs/mine/teacher2/epoch_2.pth'"
    (tmp_path / 'student_kd.py').write_text(f"_base_ = '{ROOT / STUDENT}'\nmodel = dict({missing})\n")
    with pytest.raises(ValueError, match=f'; train it first with: python -m icckd_mm train {tmp_path}/teacher2.py; '):
        command('train')([str(tmp_path / 'student_kd.py'), '--work-dir', str(tmp_path / 'run')])
    key, config = 'model.teacher.teacher_ckpts', str(tmp_path / 'student_kd.py')
    assert 'train it first' in describe_missing(key, 'work_dirs/mine/teacher2/epoch_2.pth', config=config)
    assert 'train it first' not in describe_missing(key, 'work_dirs/mine/teacher3/epoch_2.pth', config=config)


def test_a_resumed_file_that_is_missing_is_named_with_its_argument(work):
    with pytest.raises(ValueError, match=r'^--resume: .*epoch_3.pth does not exist; .* has epoch_2.pth.*give --resume another'):
        command('train')([TEACHER, '--work-dir', str(work), '--resume', str(work / 'epoch_3.pth')])


@pytest.mark.parametrize('scheme', ['file', 'gopher'])
def test_an_address_that_mmengine_does_not_load_is_refused_with_the_path(scheme, work):
    """It loads file:// as a path, which then "can not be found", behind the log of the run."""
    with pytest.raises(ValueError, match='is an address that cannot be loaded; give a path') as error:
        command('train')([TEACHER, '--work-dir', str(work), '--resume', f'{scheme}://{work}/epoch_2.pth'])
    assert (f'a path, such as {work}/epoch_2.pth' in str(error.value)) == (scheme == 'file')


def test_addresses_that_mmengine_loads_are_left_to_it():
    for address in ('https://a/b.pth', 'http://a/b.pth', 'openmmlab://a', 's3://a/b.pth', 'torchvision://resnet18'):
        assert is_at_hand(address)
