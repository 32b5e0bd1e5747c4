"""``python -m icckd_mm``; from an installed wheel in ``tests/test_zoo/test_wheel.py``."""

import sys

import pytest

from icckd_mm.__main__ import COMMANDS, main
from icckd_mm.config.command_line import config_file
from icckd_mm.packaged import named_config
from icckd_mm.version import __version__


def test_every_command_has_a_line_of_help(capsys):
    assert main(['--help']) == 0
    lines = capsys.readouterr().out.splitlines()
    shown = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines[2:]}
    assert list(shown) == list(COMMANDS)
    assert shown['train'] == 'Train a teacher or a student.'


def test_without_a_command_the_commands_are_shown(capsys):
    assert main([]) == 2
    assert 'publish' in capsys.readouterr().out


def test_a_wrong_command_has_the_nearest(capsys):
    assert main(['trian', 'x.py']) == 2
    assert capsys.readouterr().err == 'error: trian is not a command of icckd_mm; did you mean train?\n'


def test_the_version(capsys):
    assert main(['--version']) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_a_command_is_that_of_its_file(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, '__main__', sys.modules['__main__'])
    monkeypatch.setattr(sys, 'argv', sys.argv)
    assert main(['configs', '--data', 'digits', '--method', 'icc']) == 0
    assert 'configs/icckd/teacher/icc_resnet20_1xb64_digits.py' in capsys.readouterr().out
    assert sys.argv == ['icckd-mm configs', '--data', 'digits', '--method', 'icc']


def test_a_config_is_found_by_path_and_by_name():
    name = 'icckd/teacher/icc_resnet20_1xb64_digits.py'
    assert config_file(f'icckd_mm::{name}') == named_config(f'icckd_mm::{name}')
    assert config_file(f'configs/{name}').resolve() == named_config(f'icckd_mm::{name}')


def test_a_missing_config_outside_the_repository_has_the_name_of_ours(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match='did you mean icckd_mm::icckd/teacher/icc_resnet20_1xb64_digits'):
        config_file('configs/icckd/teacher/icc_resnet20_1xb64_digits.py')
    with pytest.raises(ValueError, match='does not exist; python -m icckd_mm configs lists ours'):
        config_file('mine.py')
    with pytest.raises(ValueError, match='not a config of icckd_mm; did you mean icckd_mm::'):
        config_file('icckd_mm::icckd/teacher/icc_resnet20_1xb64_digit.py')
