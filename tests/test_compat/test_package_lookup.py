import importlib.util
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import mmcv
import mmengine
import pytest
from mmengine.utils import package_utils

import icckd_mm
from icckd_mm.compat import package_lookup as bridge

HAS_PKG_RESOURCES = importlib.util.find_spec('pkg_resources') is not None


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder on the path with a module, a namespace package and three distributions."""
    for file in (
        'plain_module/__init__.py',
        'namespace_package/data.txt',
        'inner_name/__init__.py',
        'other_project/src/far_away/__init__.py',
    ):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text('')
    for name, modules in (('outer_name', 'inner_name\n'), ('silent_name', None), ('editable_name', 'far_away\n')):
        info = tmp_path / f'{name}-1.5.dist-info'
        info.mkdir()
        (info / 'METADATA').write_text(f'Metadata-Version: 2.1\nName: {name.replace("_", "-")}\nVersion: 1.5\n')
        if modules:
            (info / 'top_level.txt').write_text(modules)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / 'other_project' / 'src')
    importlib.invalidate_caches()
    return tmp_path


def test_a_module_whose_distribution_has_another_name(folder):
    assert bridge.is_installed('outer-name')
    assert bridge.is_installed('Outer_Name>=1.0')
    assert bridge.package2module('outer-name') == 'inner_name'
    assert bridge.get_installed_path('outer-name') == str(folder / 'inner_name')
    assert bridge.get_installed_path('inner_name') == str(folder / 'inner_name')
    with pytest.raises(ValueError, match=r'outer-name>=2 is required, but outer-name 1.5 is installed'):
        bridge.is_installed('outer-name>=2')
    with pytest.raises(ValueError, match='can not infer the module name of silent-name'):
        bridge.get_installed_path('silent-name')


def test_mmcv_from_mmcv_lite():
    assert bridge.is_installed('mmcv')
    assert bridge.is_installed('mmcv-lite')
    path = str(Path(mmcv.__file__).parent)
    assert bridge.get_installed_path('mmcv') == bridge.get_installed_path('mmcv-lite') == path
    assert bridge.package2module('mmcv-lite') == 'mmcv'


def test_editable_installs(folder):
    assert bridge.get_installed_path('editable-name') == str(folder / 'other_project' / 'src' / 'far_away')
    assert bridge.is_installed('icckd_mm')
    assert bridge.get_installed_path('icckd_mm') == bridge.get_installed_path('icckd-mm') == str(Path(icckd_mm.__file__).parent)


def test_a_module_without_distribution_a_namespace_package_and_an_absent_one(folder):
    assert bridge.is_installed('plain_module')
    assert bridge.get_installed_path('plain_module') == str(folder / 'plain_module')
    assert not bridge.is_installed('namespace_package')
    with pytest.raises(RuntimeError, match='namespace_package is a namespace package'):
        bridge.get_installed_path('namespace_package')
    assert not bridge.is_installed('absent_package')
    for function in (bridge.get_installed_path, bridge.package2module):
        with pytest.raises(PackageNotFoundError, match='absent_package'):
            function('absent_package')


@pytest.mark.skipif(not HAS_PKG_RESOURCES, reason='setuptools has no pkg_resources')
def test_the_bridge_answers_as_the_original(folder):
    names = ['outer-name', 'Outer_Name', 'inner_name', 'silent-name', 'plain_module', 'namespace_package', 'absent_package']
    names += [
        'mmcv',
        'mmcv-lite',
        'mmengine',
        'mmrazor',
        'mmpretrain',
        'torch',
        'numpy',
        'pip',
        'scikit-learn',
        'opencv-python-headless',
    ]

    def outcome(function, name):
        try:
            return function(name)
        except Exception as error:  # by name: the original reloads pkg_resources, which makes new classes
            return {'DistributionNotFound': 'PackageNotFoundError'}.get(type(error).__name__, type(error).__name__)

    assert package_utils.is_installed is not bridge.is_installed
    for name in names:
        assert outcome(bridge.is_installed, name) == outcome(package_utils.is_installed, name), name
        assert outcome(bridge.get_installed_path, name) == outcome(package_utils.get_installed_path, name), name
        assert outcome(bridge.package2module, name) == outcome(package_utils.package2module, name), name


WITHOUT_PKG_RESOURCES = """
import importlib.machinery, sys
find = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = classmethod(
    lambda cls, name, *args, **kwargs: None if name == 'pkg_resources' else find(name, *args, **kwargs))
import mmengine, mmengine.hub
late = {patch}
if late:
    import icckd_mm
from mmengine.config import Config
try:
    open('config.py', 'w').write("_base_ = ['mmpretrain::_base_/default_runtime.py']")
    scope = Config.fromfile('config.py').default_scope
    report([scope, mmengine.hub.hub.get_installed_path('mmpretrain'), 'pkg_resources' in sys.modules])
except ModuleNotFoundError as error:
    report(str(error))
"""


def test_without_pkg_resources_mmengine_alone_still_finds_no_package(python):
    code = WITHOUT_PKG_RESOURCES.replace('{patch}', 'False')
    assert python(code) == "No module named 'pkg_resources'", 'mmengine no longer needs it: package_lookup.py can go'


def test_without_pkg_resources_a_base_of_another_package_is_found(python):
    path = str(Path(mmengine.__file__).parents[1] / 'mmpretrain')
    assert python(WITHOUT_PKG_RESOURCES.replace('{patch}', 'True')) == ['mmpretrain', path, False]
