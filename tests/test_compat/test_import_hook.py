import importlib
import importlib.resources
import importlib.util
import inspect
import sys
import threading
import zipfile
import zipimport
from importlib.machinery import SourceFileLoader

import pytest

from icckd_mm.compat import import_hook, install
from icckd_mm.compat.import_hook import on_import

SOURCES = {
    '__init__.py': '',
    'watched.py': 'value = 1\n',
    'other.py': 'value = 2\n',
    'broken.py': 'raise OSError("no")\n',
    'data.txt': 'text',
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An importable package whose name is new."""
    name = f'hooked_{tmp_path.name}'
    folder = tmp_path / name
    folder.mkdir()
    for file, source in SOURCES.items():
        (folder / file).write_text(source)
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_callbacks_run_around_and_after_the_named_module_only(package):
    calls = []

    def around(module, execute):
        calls.append(('before', module.__name__, hasattr(module, 'value')))
        execute()

    name = f'{package}.watched'
    on_import(name, around=around, after=lambda module: calls.append(('after', module.__name__, module.value)))
    other = importlib.import_module(f'{package}.other')
    assert not calls
    assert 'exec_module' not in vars(other.__spec__.loader)
    importlib.import_module(name)
    assert calls == [('before', name, False), ('after', name, 1)]


def test_after_runs_at_once_for_an_imported_module_and_registering_twice_changes_nothing(package):
    calls = []
    module = importlib.import_module(f'{package}.watched')
    on_import(module.__name__, after=calls.append)
    assert calls == [module]
    before = len(sys.meta_path)
    on_import(module.__name__, after=calls.append)
    importlib.reload(module)
    assert len(sys.meta_path) == before
    assert calls == [module] * 3  # at once, at once, reload: one registration


def test_the_loader_keeps_its_class_source_and_resources(package):
    name = f'{package}.watched'
    on_import(name, after=lambda module: None)
    on_import(package, after=lambda module: None)
    module = importlib.import_module(name)
    assert isinstance(module.__spec__.loader, SourceFileLoader)
    assert module.__loader__ is module.__spec__.loader
    assert module.__loader__.get_source(name) == SOURCES['watched.py'] == inspect.getsource(module)
    assert importlib.resources.files(package).joinpath('data.txt').read_text() == 'text'
    module.value = 5
    assert importlib.reload(module).value == 1
    fresh = importlib.util.module_from_spec(importlib.util.find_spec(name))
    fresh.__spec__.loader.exec_module(fresh)
    assert fresh.value == 1


@pytest.mark.skipif(
    not hasattr(zipimport.zipimporter, 'exec_module'), reason='Python 3.9 loads zipped modules in a way of its own'
)
def test_a_zipped_package_works_and_its_other_modules_are_not_watched(tmp_path, monkeypatch):
    name, calls = f'zipped_{tmp_path.name}', []
    with zipfile.ZipFile(tmp_path / 'package.zip', 'w') as archive:
        for file, source in SOURCES.items():
            archive.writestr(f'{name}/{file}', source)
    monkeypatch.syspath_prepend(tmp_path / 'package.zip')
    on_import(f'{name}.watched', after=calls.append)
    assert importlib.import_module(f'{name}.other').value == 2
    assert not calls
    watched = importlib.import_module(f'{name}.watched')
    assert calls == [watched]
    assert watched.__loader__.get_data(f'{name}/data.txt') == b'text'


def test_an_absent_package_stays_absent_and_an_error_stays_an_error(package):
    on_import('package_that_is_absent.module', after=pytest.fail)
    on_import('package_that_is_absent', after=pytest.fail)
    assert importlib.util.find_spec('package_that_is_absent') is None
    with pytest.raises(ModuleNotFoundError, match="No module named 'package_that_is_absent'"):
        importlib.import_module('package_that_is_absent.module')
    on_import(f'{package}.broken', after=pytest.fail)
    with pytest.raises(OSError, match='no'):
        importlib.import_module(f'{package}.broken')
    assert f'{package}.broken' not in sys.modules


def test_threads_that_import_together_execute_the_module_once(package):
    calls = []
    on_import(f'{package}.watched', after=calls.append)
    start = threading.Barrier(8)

    def run():
        start.wait()
        importlib.import_module(f'{package}.watched')

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(calls) == 1


def test_installing_twice_changes_nothing():
    def state():
        return {name: list(after) for name, after in import_hook._AFTER.items()}, dict(import_hook._AROUND), list(sys.meta_path)

    before = state()
    install()
    assert state() == before


BLOCKED = """
import sys, time
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('mmrazor', 'mmpretrain', 'mmcv'):
            raise ModuleNotFoundError(f'No module named {name!r}')
sys.meta_path.insert(0, Blocker())
import torch, mmengine
start = time.process_time()
import icckd_mm
seconds = time.process_time() - start
hosts = ('mmrazor', 'mmpretrain')
report([seconds, [name for name in sys.modules if name.split('.')[0] in hosts or name == 'mmengine.runner']])
"""


def test_the_package_is_cheap_to_import_and_needs_neither_mmrazor_nor_mmpretrain(python):
    seconds, hosts = python(BLOCKED)
    assert hosts == []
    assert seconds < 0.5
