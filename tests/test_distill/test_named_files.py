"""Every file that a distillation starts from is looked for before anything is built."""

from pathlib import Path

import pytest
from mmengine.config import Config

from icckd_mm.config.command_line import check_files

CONFIGS = Path(__file__).parents[2] / 'configs/icckd/distill'
PAIR = 'resnet20_resnet8_1xb64_digits.py'
NAMED = {
    'icckd-kd_logits': ['model.teacher_ckpt'],
    'icckd-two-teachers_logits': ['model.teacher.teacher_ckpts'],
    'icckd-ab_logits': ['model.init_cfg.checkpoint'],
    'icckd-ft_backbone': ['model.teacher_ckpt', 'model.distiller.init_cfg.checkpoint'],
    'icckd-dafl_logits': ['model.teachers.teacher.ckpt_path'],
}


def give(cfg, key, folder):
    """Write the files of a key, and name them."""
    node, name = cfg, key.split('.')[-1]
    for part in key.split('.')[:-1]:
        node = node[part]
    files = node[name] if isinstance(node[name], list) else [node[name]]
    there = [folder / f'{name}{index}.pth' for index in range(len(files))]
    for path in there:
        path.touch()
    node[name] = [str(path) for path in there] if isinstance(node[name], list) else str(there[0])


@pytest.mark.parametrize('method', NAMED)
def test_a_missing_checkpoint_is_named_with_its_key(method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(CONFIGS / f'{method}_{PAIR}')
    for key in NAMED[method]:
        with pytest.raises(ValueError, match=f'^{key}: the checkpoint work_dirs/.* does not exist; .*names another$'):
            check_files(cfg, [])
        give(cfg, key, tmp_path)
    check_files(cfg, [])
    cfg.model.student_ckpt = 'none.pth'
    with pytest.raises(ValueError, match=r'^model.student_ckpt: the checkpoint none.pth does not exist'):
        check_files(cfg, [])


def test_one_of_several_teachers_is_enough_to_stop(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cfg = Config.fromfile(CONFIGS / f'icckd-two-teachers_logits_{PAIR}')
    give(cfg, 'model.teacher.teacher_ckpts', tmp_path)
    cfg.model.teacher.teacher_ckpts[1] = 'second.pth'
    with pytest.raises(
        ValueError, match=r'checkpoint second.pth does not exist; .*"model.teacher.teacher_ckpts=\[FILE,FILE\]"'
    ):
        check_files(cfg, [])
