"""A network of the user's own is published, verified and reported once the user names the module that registers it."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest
from mmpretrain.registry import MODELS

from icckd_mm.zoo.verify import verify
from tests.helpers import HEAD, train

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/own_network.md'


def command(path):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Holds ``my_nets.py`` of the page, and a module that ends any process but this one."""
    folder = tmp_path_factory.mktemp('mine')
    text = re.search(r'```python\n# my_nets\.py\n(.*?)^```', PAGE.read_text(encoding='utf-8'), re.MULTILINE | re.DOTALL)[1]
    (folder / 'my_nets.py').write_text(text)
    (folder / 'crashing.py').write_text(
        'import os, signal, sys\nif "pytest" not in sys.modules:\n    os.kill(os.getpid(), signal.SIGSEGV)\n'
    )
    return folder


@pytest.fixture
def forgotten(folder, monkeypatch):
    """Gives a function after which this process knows nothing of the module."""
    monkeypatch.syspath_prepend(str(folder))

    def forget():
        sys.modules.pop('my_nets', None)
        MODELS.module_dict.pop('SmallNet', None)

    yield forget
    forget()


@pytest.fixture
def run(folder, forgotten):
    """A work dir, trained once."""
    work_dir = folder / 'run'
    if not work_dir.exists():
        importlib.import_module('my_nets')
        backbone, head = dict(type='SmallNet', width=4), dict(type='LinearClsHead', in_channels=16, **HEAD)
        model = dict(type='ImageClassifier', backbone=backbone, neck=dict(type='GlobalAveragePooling'), head=head)
        train(work_dir, model, validate=True)
        forgotten()
    return work_dir


def test_the_three_commands_build_what_a_named_module_registers(run, forgotten, tmp_path, capsys):
    publish, verify_, report = map(
        command, ('tools/model_converters/publish.py', 'tools/model_converters/verify.py', 'tools/analysis/report.py')
    )
    out, page = str(tmp_path / 'entry'), tmp_path / 'report.html'
    refused = r"'SmallNet' is not a registered model; .* import the module that registers it \(--import\)"
    with pytest.raises(ValueError, match=refused):
        publish([str(run), '--out', out, '--no-index'])
    publish([str(run), '--out', out, '--no-index', '--import', 'my_nets'])
    assert 'import my_nets\n' in (tmp_path / 'entry' / 'README.md').read_text()
    forgotten()
    with pytest.raises(SystemExit):
        verify_([out])
    assert re.search(refused, capsys.readouterr().out)
    verify_([out, '--no-metrics', '--import', 'my_nets'])
    assert 'FAILED' not in capsys.readouterr().out
    forgotten()
    report([str(run), '--out', str(page), '--only', 'features', '--import', 'my_nets'])
    assert 'SmallNet' in page.read_text()


@pytest.mark.parametrize('name', ['nowhere_at_all', '.relative', 'os,sys'])
def test_a_module_that_is_not_there_is_one_line(name, run, tmp_path):
    with pytest.raises(ValueError, match=rf'--import {re.escape(name)}: .*in PYTHONPATH$'):
        verify(run, modules=[name])


def test_a_fresh_process_that_crashes_is_one_line(forgotten):
    (first,) = (ROOT / 'configs/icckd/zoo').glob('*_digits')
    ((what, passed, detail),) = verify(first, metrics=False, modules=['crashing'])
    assert (what, passed) == ('clean process', False)
    assert detail.startswith('SIGSEGV ended it; ')
