"""Configs of the package by name, through mmengine's own doors."""

import pytest
from mmengine.config import Config
from mmengine.hub import get_config

TEACHER = 'icckd/teacher/icc_resnet20_1xb64_digits.py'


def test_a_base_is_found_by_name(tmp_path):
    (tmp_path / 'mine.py').write_text(f"_base_ = 'icckd_mm::{TEACHER}'\ntrain_cfg = dict(max_epochs=3)\n")
    mine, own = Config.fromfile(tmp_path / 'mine.py'), Config.fromfile(f'configs/{TEACHER}')
    assert mine.train_cfg.max_epochs == 3
    assert mine.model == own.model
    assert mine.custom_hooks == own.custom_hooks


def test_get_config_gives_config_and_weights():
    assert get_config(f'icckd_mm::{TEACHER}').to_dict() == Config.fromfile(f'configs/{TEACHER}').to_dict()
    cfg = get_config('icckd_mm::icckd/zoo/resnet8_icckd-kd_digits/resnet8_icckd-kd_digits', pretrained=True)
    assert cfg.model_path.endswith('.pth')
    with pytest.raises(ValueError, match='no published weights'):
        get_config(f'icckd_mm::{TEACHER}', pretrained=True)


@pytest.mark.parametrize('name', ['icckd/teacher/icc_resnet20_1xb64_digit.py', '../configs/icckd/teacher/x.py'])
def test_a_wrong_name_has_the_nearest(tmp_path, name):
    (tmp_path / 'mine.py').write_text(f"_base_ = 'icckd_mm::{name}'\n")
    for read in (lambda: get_config(f'icckd_mm::{name}'), lambda: Config.fromfile(tmp_path / 'mine.py')):
        with pytest.raises(FileNotFoundError, match=r'is not a config of icckd_mm; did you mean icckd_mm::icckd/'):
            read()


def test_other_packages_are_found_as_before():
    assert get_config('mmpretrain::resnet/resnet18_8xb32_in1k.py').model.backbone.depth == 18
