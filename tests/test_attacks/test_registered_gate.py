"""What the gate lets through: every classifier of mmpretrain's zoo and of ours, and nothing that it must import."""

import copy
import json
import sys
from pathlib import Path

import mmpretrain
import pytest
from mmengine.config import Config
from mmengine.registry import Registry, registry

from icckd_mm.config.building import only_registered
from icckd_mm.config.registered import check_registered
from icckd_mm.config.registries import find_registered
from icckd_mm.registry import DATASETS

from .forged import run_config

ZOO = Path(mmpretrain.__file__).parent / '.mim/configs'
FAMILIES = ('resnet', 'vgg', 'vision_transformer', 'swin_transformer', 'mobilenet_v2', 'convnext', 'hrnet', 'regnet')
HELD_OUT, EVEN = 'icckd_mm.datasets.held_out.held_out_part', 'icckd_mm.datasets.even_subset.even_subset'


@pytest.mark.parametrize('family', FAMILIES)
def test_classifiers_of_the_host_pass_unchanged(family):
    """The first of a family, with its test data; all 365 of the zoo were tried by hand."""
    path = sorted((ZOO / family).glob('*.py'))[0]
    cfg = Config.fromfile(path).to_dict()
    parts = {name: cfg[name] for name in ('model', 'test_dataloader', 'test_evaluator')}
    parts['model'].pop('train_cfg', None)
    parts['model'].get('backbone', {}).pop('init_cfg', None)
    before = copy.deepcopy(parts)
    assert check_registered(parts, 'a file') == parts == before


def test_our_own_functions_pass_by_their_names_and_by_their_old_paths():
    data = dict(type='icckd_mm.Digits', scale=8, pipeline=[])
    for name, path, options in (('held_out_part', HELD_OUT, dict(fraction=0.1)), ('even_subset', EVEN, dict(images=100))):
        assert DATASETS.get(f'icckd_mm.{name}').__name__ == name
        for given in (path, f'icckd_mm.{name}'):
            cfg = {'test_dataloader': {'dataset': dict(type=given, dataset=data, **options)}}
            assert check_registered(cfg, 'a file')['test_dataloader']['dataset']['type'] == f'icckd_mm.{name}'


def test_a_path_is_resolved_without_an_import():
    """A lazy attribute of a module is not touched, and a module that nobody has imported is not found."""
    assert find_registered('mmpretrain.models.backbones.vgg.VGG', 'MODELS', 'mmpretrain') == 'mmpretrain.VGG'
    before = set(sys.modules)
    for name in (
        'antigravity',
        'antigravity.fly',
        'idlelib.run',
        'idlelib.run.main',
        'lib2to3.main.main',
        'this.d',
        '..x',
        '.',
        '',
    ):
        assert find_registered(name, 'MODELS', 'mmpretrain') is None
    assert set(sys.modules) == before


def test_a_class_of_the_users_own_passes_once_it_is_registered():
    from mmpretrain.registry import MODELS
    from torch import nn

    class OwnNet(nn.Module):
        pass

    assert find_registered('OwnNet', 'MODELS', 'mmpretrain') is None
    MODELS.register_module(module=OwnNet)
    try:
        assert find_registered('OwnNet', 'MODELS', 'mmpretrain') == 'OwnNet'
        assert find_registered('mmpretrain.OwnNet', 'HOOKS', 'mmpretrain') is None
    finally:
        del MODELS.module_dict['OwnNet']


def test_the_second_wall_stands_only_while_it_is_needed():
    """A type that a constructor makes of an argument meets it; after that mmengine is as it was."""
    own = Registry('own', scope='mmengine')
    saved = registry.get_object_from_string, registry.import_module
    with only_registered():
        with pytest.raises(RuntimeError, match=r'Failed to get os\.mkdir'):
            own.get('os.mkdir')
        with pytest.raises(RuntimeError, match='Failed to get json'):
            own.get('json')
    assert (registry.get_object_from_string, registry.import_module) == saved
    assert own.get('json.dumps') is json.dumps


@pytest.mark.parametrize(
    ('where', 'value'),
    [
        ('model', None),
        ('model', 'os.system'),
        ('model', []),
        ('test_dataloader', 'os.system'),
        ('test_dataloader', {'dataset': 5}),
        ('test_dataloader', {'type': 'icckd_mm.DeviceLoader'}),
        ('test_dataloader', {'num_workers': 10**6}),
        ('test_dataloader', {'batch_size': 10**9}),
        ('default_scope', 'os'),
        ('default_scope', {}),
        ('custom_hooks', []),
        ('model', {'type': 'ImageClassifier', 1: 2}),
        ('model', {'type': 'ImageClassifier', 'x': b'bytes'}),
        ('model', {'type': 'ImageClassifier', 'x': {1, 2}}),
        ('model', {'type': 'ImageClassifier', 'x': 1j}),
        ('model', {'type': 'ImageClassifier', 'x': float('inf')}),
        ('model', {'type': 'ImageClassifier', 'x': ...}),
    ],
    ids=str,
)
def test_shapes_that_no_config_has_are_one_line(tmp_path, where, value):
    parts = {name: run_config(tmp_path)[name] for name in ('model', 'test_dataloader')}
    with pytest.raises(ValueError, match=r'a file: .* is refused: ') as caught:
        check_registered({**parts, where: value}, 'a file')
    assert '\n' not in str(caught.value)


def test_nesting_has_an_end(tmp_path):
    model = {'type': 'ImageClassifier'}
    for _ in range(5000):
        model = {'x': [model]}
    with pytest.raises(ValueError, match='nested too deeply'):
        check_registered({'model': model}, 'a file')
