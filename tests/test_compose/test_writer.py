"""Configs that state only what differs from their bases."""

import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config

import icckd_mm  # noqa: F401  # its configs by name
from icckd_mm.compose.literals import Reference, literal
from icckd_mm.compose.writer import config_text, differing, write_config

LONG = dict(
    data_preprocessor=dict(
        type='icckd_mm.TwoViewDataPreprocessor', mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375]
    ),
    custom_hooks=[
        dict(
            type='icckd_mm.IntraClassContrastHook',
            loss=dict(type='icckd_mm.IntraClassContrastiveLoss', loss_weight=0.02, margin=0.5),
        )
    ],
    pipeline=[
        dict(type='LoadImageFromFile'),
        dict(type='MultiView', num_views=2, transforms=[[dict(type='RandomResizedCrop', scale=224), dict(type='RandomFlip')]]),
        dict(type='PackInputs'),
    ],
    names={'a class': 'x' * 50, 'another one': 'y' * 50, 'third': (1,)},
    long=('x' * 70, 'y' * 70),
    single=['z' * 140],
    deep=dict(a=dict(b=dict(c='x' * 60, d='y' * 50, e=None), f=1e-5), g=True),
    numbers=[0.1] * 40,
)


def test_a_config_is_printed_as_the_formatter_of_this_project_prints_it(tmp_path):
    text = ''.join(f'{key} = {literal(value, len(key) + 3)}\n' for key, value in LONG.items())
    (tmp_path / 'config.py').write_text(text)
    ruff = Path(sys.executable).with_name('ruff')
    settings = ['--line-length', '128', '--config', 'format.quote-style="single"', '--isolated']
    subprocess.run([ruff, 'format', *settings, tmp_path / 'config.py'], check=True, capture_output=True)
    assert (tmp_path / 'config.py').read_text() == text
    assert Config.fromfile(tmp_path / 'config.py').to_dict() == LONG


@pytest.fixture
def base(tmp_path):
    (tmp_path / 'base.py').write_text(
        "net = dict(type='Net', depth=8, head=dict(classes=100, topk=(1,)))\n"
        "optim = dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9))\n"
        "hooks = [dict(type='One')]\nload_from = None\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ('wanted', 'expected'),
    [
        (dict(optim=dict(optimizer=dict(type='SGD', lr=0.1))), ''),
        (dict(optim=dict(optimizer=dict(lr=0.05, momentum=0.9))), 'optim = dict(optimizer=dict(lr=0.05))\n'),
        (dict(load_from=None, resume=None), 'resume = None\n'),  # None that no base has is said
        (dict(hooks=[dict(type='One')]), ''),
        (dict(hooks=[dict(type='Two')]), "hooks = [dict(type='Two')]\n"),
        (dict(net=dict(head=dict(topk=[1]))), 'net = dict(head=dict(topk=[1]))\n'),  # a list is not a tuple
        (dict(optim=dict(_delete_=True, type='X')), "optim = dict(_delete_=True, type='X')\n"),
        (dict(optim=dict(_delete_=True, optimizer=dict(type='SGD', lr=0.1, momentum=0.9))), ''),
        (dict(new=dict(_delete_=True, a=1)), 'new = dict(a=1)\n'),
        (dict(model=Reference('_base_.net')), 'model = _base_.net\n'),
        (dict(net=dict(head=dict(classes=True))), 'net = dict(head=dict(classes=True))\n'),
    ],
)
def test_only_what_differs_is_written(base, wanted, expected):
    write_config(['base.py'], wanted, base / 'mine.py')
    assert (base / 'mine.py').read_text() == "_base_ = 'base.py'\n" + ('\n' + expected if expected else '')


def test_what_is_written_reads_as_wanted(base):
    wanted = {
        '_base_.net.head.classes': 10,
        '_base_.net.depth': 8,
        'model': dict(teacher=Reference('_base_.net'), epochs=3),
        'hooks': [dict(type='One'), dict(type='Two')],
    }
    write_config(['base.py'], wanted, base / 'mine.py', 'Ours,\nin two lines')
    text = (base / 'mine.py').read_text()
    assert text.startswith("# Ours,\n# in two lines\n_base_ = 'base.py'\n\n_base_.net.head.classes = 10\nmodel = dict(")
    read = Config.fromfile(base / 'mine.py')
    assert read.model.teacher == dict(type='Net', depth=8, head=dict(classes=10, topk=(1,)))
    assert [hook.type for hook in read.hooks] == ['One', 'Two']


def test_a_reference_to_a_key_of_the_config_is_read_there(base):
    hooks = [dict(type='Two')]
    write_config(['base.py'], dict(mine=hooks, hooks=Reference('mine'), more=dict(a=Reference('mine'))), base / 'mine.py')
    assert (base / 'mine.py').read_text().endswith("mine = [dict(type='Two')]\nhooks = mine\nmore = dict(a=mine)\n")
    assert Config.fromfile(base / 'mine.py').more.a == hooks


def test_bases_of_the_package_are_found_by_name(tmp_path):
    bases = ['icckd_mm::_base_/models/resnet8x4.py', 'icckd_mm::_base_/runtime.py']
    write_config(bases, dict(model=Reference('_base_.resnet8x4'), load_from=None, log_level='ERROR'), tmp_path / 'mine.py')
    read = Config.fromfile(tmp_path / 'mine.py')
    assert read.model.backbone.depth == 8
    assert 'load_from' not in (tmp_path / 'mine.py').read_text()
    assert read.log_level == 'ERROR'


def test_an_unknown_reference_is_an_error(base):
    with pytest.raises(KeyError, match='other'):
        differing(['base.py'], dict(model=Reference('_base_.other')), base)


def test_values_that_are_not_plain_are_refused(base):
    with pytest.raises(TypeError, match='plain values, got object'):
        config_text(dict(x=object()))
