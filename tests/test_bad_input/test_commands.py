"""The catalogue of mistakes, each through a command in this process, as a user makes it (Reliability test 17)."""

import importlib.util
import logging
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.logging import MMLogger

from icckd_mm.config.command_line import run
from tests.test_bad_input.case import BASES
from tests.test_bad_input.files import FILES, MARKER, bad_files
from tests.test_bad_input.typos import OPTIONS, TYPES
from tests.test_bad_input.usage import CONFIGS, FLAGS
from tests.test_bad_input.values import VALUES

ROOT = Path(__file__).resolve().parents[2]
CASES = {**TYPES, **OPTIONS, **CONFIGS, **FLAGS, **VALUES, **FILES}
WRONG = {
    'train': 'zzz.py',
    'test': 'zzz.py any.pth',
    'demo': '--epochs zzz',
    'list_configs': '--net zzz',
    'model_converters/publish': 'zzz --out zzz/out',
    'model_converters/verify': 'zzz',
    'model_converters/import_checkpoint': 'zzz zzz.pth --arch zzz',
}


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    return bad_files(tmp_path_factory.mktemp('files'))


def command(tool):
    spec = importlib.util.spec_from_file_location(Path(tool).name, ROOT / f'tools/{tool}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


def command_line(case, files, folder):
    """What the user types; the config on top of one of ours lies in ``folder``."""

    def place(text):
        return text.replace('{files}', str(files))

    config = [BASES[case.base]] if case.base else []
    if case.body:
        base = f'_base_ = {str(ROOT / BASES[case.base])!r}\n' if case.base else ''
        body = re.sub(r'^(\w+)([.\[])', r'\1 = _base_.\1\n\1\2', case.body, flags=re.M) if case.base else case.body
        config = [str(folder / 'bad.py')]
        Path(config[0]).write_text(base + place(body).replace('{0!r}', repr(str(ROOT / BASES['ce']))))
    where = ['--work-dir', str(folder / 'out')] if case.tool in ('train', 'test') and config else []
    flags = [place(flag) for flag in case.flags]
    options = ['--cfg-options', *map(place, case.options)] if case.options else []
    return [*config, *where, *flags, *options]


@pytest.fixture
def _own_process(monkeypatch):
    """Each command finds the loggers as a new process does."""
    monkeypatch.setattr(MMLogger, '_instance_dict', {})
    monkeypatch.setattr(logging, 'raiseExceptions', logging.raiseExceptions)


@pytest.mark.usefixtures('_own_process')
@pytest.mark.parametrize('name', CASES)
def test_a_mistake_gives_one_clear_line_and_nothing_half_written(name, files, tmp_path, monkeypatch, capsys):
    case = CASES[name]
    if '--amp' in case.flags and torch.cuda.is_available():
        pytest.skip('there is a GPU')
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')
    (tmp_path / 'in').mkdir()
    before = set(files.rglob('*'))
    with pytest.raises(SystemExit) as ended:
        run(command(case.tool), command_line(case, files, tmp_path / 'in'))
    err = capsys.readouterr().err + (ended.value.code if isinstance(ended.value.code, str) else '')
    assert ended.value.code not in (0, None)
    (line,) = [line for line in err.splitlines() if 'error: ' in line]
    assert re.search(case.says, line), line
    assert 'Traceback' not in err
    assert len(line) < 1200
    written = [path for path in (tmp_path / 'in').rglob('*') if path.name != 'bad.py']
    if case.begun:
        assert {path.suffix for path in written if path.is_file()} <= {'.log', '.py', '.json'}
    else:
        assert not written
    assert set(files.rglob('*')) == before
    assert not list(tmp_path.rglob(MARKER))


@pytest.mark.usefixtures('_own_process')
def test_debug_shows_the_traceback_and_the_log_keeps_it(tmp_path, monkeypatch, capsys):
    """An unexpected error has the exit status 1, and its traceback is kept."""
    monkeypatch.chdir(ROOT)
    argv = [BASES['ce'], '--work-dir', str(tmp_path), '--cfg-options', 'model.head.in_channels=7']
    for debug in ([], ['--debug']):
        with pytest.raises(SystemExit) as ended:
            run(command('train'), [*argv, *debug])
        assert ended.value.code == 1
        err = capsys.readouterr().err
        assert ('Traceback (most recent call last)' in err) == bool(debug)
        (log,) = re.findall(r'error: RuntimeError: .* \(the traceback is in (.*)\)$', err, re.M)
        assert 'in forward' in Path(log).read_text()


@pytest.mark.parametrize('tool', WRONG)
def test_each_command_ends_in_one_line(tool):
    """In a separate process, as a user starts it."""
    done = subprocess.run(
        [sys.executable, f'tools/{tool}.py', *WRONG[tool].split()], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode in (1, 2)
    assert 'Traceback' not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if 'error: ' in line]
    assert 'zzz' in line
