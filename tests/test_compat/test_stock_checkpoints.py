"""Files that other people have: of mmengine's own hook, and of the layouts before it."""

import argparse
import collections
import fractions
import pickle
import re
import warnings
import zipfile

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import load_checkpoint

from icckd_mm.compat.safe_load import load_checkpoint_safely
from tests.helpers import CONV, train

SCHEDULES = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=2),
    dict(type='MultiStepLR', milestones=[1]),
    dict(type='CosineAnnealingLR', T_max=2),
]


@pytest.fixture(scope='module', params=['SGD', 'Adam'])
def stock(request, tmp_path_factory):
    """The last and the best file of a run of mmengine's hook with EMA, three schedules, metrics and a full message hub."""
    folder = tmp_path_factory.mktemp(request.param)
    torch.set_num_threads(1)
    momentum = dict(momentum=0.9) if request.param == 'SGD' else {}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        train(
            folder,
            epochs=2,
            validate=True,
            views=1,
            param_scheduler=SCHEDULES,
            hooks=[dict(type='EMAHook')],
            optim_wrapper=dict(optimizer=dict(type=request.param, lr=0.01, **momentum)),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1, save_best='auto')),
        )
    return sorted(folder.glob('*.pth'))


def same(a, b):
    """Bit-identical in values and types, also nested."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a) and vars_of(a) == vars_of(b)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, HistoryBuffer):
        return a.max_length == b.max_length and all(map(same, a.data, b.data)) and a.mean() == b.mean()
    return a == b


def vars_of(value):
    return dict(getattr(value, '__dict__', {}))


def test_files_of_the_stock_hook_load_with_equal_values(stock):
    """Compared with what an ordinary unpickler reads from them."""
    assert [path.name[:5] for path in stock] == ['best_', 'epoch', 'epoch']
    for path in stock:
        expected = torch.load(path, weights_only=False)
        assert {'meta', 'state_dict', 'message_hub', 'ema_state_dict'} <= expected.keys()
        assert ('optimizer' in expected) == path.name.startswith('epoch')
        assert any(isinstance(log, HistoryBuffer) for log in expected['message_hub']['log_scalars'].values())
        loaded = load_checkpoint_safely(path)
        assert same(loaded, expected)
        loaded['state_dict']['backbone.conv1.weight'].view(-1)[0] += 1
        assert not same(loaded, expected)


def test_files_of_the_stock_hook_in_other_formats_of_torch(stock, tmp_path):
    """The format before torch 1.6, and newer protocols of pickle."""
    expected = torch.load(stock[-1], weights_only=False)
    for number, options in enumerate(
        [dict(_use_new_zipfile_serialization=False), dict(pickle_protocol=3), dict(pickle_protocol=4)]
    ):
        torch.save(expected, tmp_path / f'{number}.pth', **options)
        assert same(load_checkpoint_safely(tmp_path / f'{number}.pth'), expected)


@pytest.mark.parametrize(('old', 'new'), [(b'numpy._core.', b'numpy.core.'), (b'numpy.core.', b'numpy._core.')])
def test_files_of_the_other_numpy(stock, tmp_path, old, new):
    """mmengine with numpy 1 wrote ``numpy.core``, with numpy 2 ``numpy._core``; rewritten here, not made by that numpy."""
    path = tmp_path / 'x.pth'
    with zipfile.ZipFile(stock[-1]) as file, zipfile.ZipFile(path, 'w') as copy:
        for name in file.namelist():
            content = file.read(name)
            copy.writestr(name, re.sub(rb'c' + re.escape(old), b'c' + new, content) if name.endswith('data.pkl') else content)
    assert same(load_checkpoint_safely(path), torch.load(stock[-1], weights_only=False))


class Call:
    """Is pickled as a call of a function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def test_the_layout_of_mmcv_1(tmp_path):
    """From the source of mmcv 1 (``save_checkpoint``, ``EpochBasedRunner``, ``EvalHook``) and mmcls 0; not made by it."""
    model = torch.nn.Linear(3, 2)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    state = collections.OrderedDict((f'module.{name}', value.clone()) for name, value in model.state_dict().items())
    content = {
        'meta': {
            'epoch': 3, 'iter': 30, 'mmcv_version': '1.7.1', 'time': 'Mon Jan  2 03:04:05 2023', 'CLASSES': ('a', 'b'),
            'config': 'model = dict()\n', 'seed': 0, 'exp_name': 'x.py',
            'hook_msgs': {'best_score': np.float64(71.25), 'best_ckpt': 'x/epoch_3.pth', 'last_ckpt': None},
        },
        'state_dict': state,
        'optimizer': optimizer.state_dict(),
    }  # fmt: skip
    for zipped in (True, False):  # torch 1.5 and older wrote no zip files
        path = tmp_path / f'{zipped}.pth'
        torch.save(content, path, _use_new_zipfile_serialization=zipped)
        assert same(load_checkpoint_safely(path), content)
        fresh = torch.nn.Linear(3, 2)
        load_checkpoint(fresh, str(path))
        assert torch.equal(fresh.weight, model.weight)


def test_tensors_of_torch_0_3_and_ordered_dicts_of_python_2(tmp_path):
    """From torch's source: ``_rebuild_tensor`` has four arguments; Python 2 pickles an OrderedDict by its pairs."""
    weight = torch.arange(6.0)
    storage = torch.storage.TypedStorage(wrap_storage=weight.untyped_storage(), dtype=weight.dtype, _internal=True)
    view = Call(torch._utils._rebuild_tensor, storage, 1, (2, 2), (1, 2))
    content = Call(collections.OrderedDict, [['b', view], ['a', weight]])
    torch.save(content, tmp_path / 'x.pth', _use_new_zipfile_serialization=False)
    loaded = load_checkpoint_safely(tmp_path / 'x.pth')
    assert list(loaded) == ['b', 'a']
    assert loaded['b'].tolist() == [[1, 3], [2, 4]]
    assert torch.equal(loaded['a'], weight)


def test_the_scaler_of_mixed_precision_and_the_command_line_of_other_projects(tmp_path):
    """The scaler as in the source of ``AmpOptimWrapper.state_dict``, which asks for a GPU."""
    content = {
        'optimizer': {
            'loss_scaler': {'scale': 65536.0, 'growth_factor': 2.0, '_growth_tracker': 0},
            'param_groups': [{'lr': 0.1}],
        },
        'args': argparse.Namespace(lr=0.1, names=['a']),
        'shared': torch.ones(4).expand(3, 4),
        'parameter': torch.nn.Parameter(torch.ones(2)),
        'unusual': torch.arange(6).to(getattr(torch, 'uint16', torch.int16)),
        'half': torch.ones(3, 2, dtype=torch.bfloat16).t(),
    }
    torch.save(content, tmp_path / 'x.pth')
    loaded = load_checkpoint_safely(tmp_path / 'x.pth')
    assert same(loaded, content)
    assert loaded['half'].stride() == (1, 2)


@pytest.mark.parametrize(
    ('content', 'name'),
    [
        (torch.nn.Linear(2, 2), r'torch\.nn\.modules\.linear\.Linear'),
        (torch.optim.SGD([torch.zeros(1)], 0.1), r'torch\.optim\.sgd\.SGD'),
        (ConfigDict(a=1), r'mmengine\.config\.config\.ConfigDict'),
        (np.random.RandomState(0), r'numpy\.random\._pickle\.__randomstate_ctor'),
        (np.array([None]), r"numpy\.dtype of 'O8'"),
        (fractions.Fraction, r'fractions\.Fraction'),
        (len, r'builtins\.len'),
    ],
    ids=['model', 'optimizer', 'config', 'generator', 'objects', 'class', 'function'],
)
@pytest.mark.parametrize('zipped', [True, False])
def test_what_else_is_refused_by_its_name(tmp_path, content, name, zipped):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.save({'state_dict': {}, 'x': content}, tmp_path / 'x.pth', _use_new_zipfile_serialization=zipped)
    with pytest.raises(pickle.UnpicklingError, match=rf'x\.pth was not loaded: it asks for {name}, which could run code'):
        load_checkpoint_safely(tmp_path / 'x.pth')


@pytest.mark.skipif(
    not hasattr(torch.serialization, 'get_unsafe_globals_in_checkpoint'), reason='torch before 2.6 does not list them'
)
def test_what_we_write_asks_for_nothing(tmp_path):
    """Reliability test 16: teacher, best, averaged, student and published files, by torch's own list of doubtful globals."""
    from icckd_mm.zoo.publish import publish
    from tests.helpers import ICC, NORM

    save = dict(
        checkpoint=dict(
            type='icckd_mm.ExactCheckpointHook', interval=1, save_best='auto', published_keys=['meta', 'state_dict']
        )
    )
    train(tmp_path / 'teacher', validate=True, hooks=[ICC, dict(type='EMAHook')], default_hooks=save)
    logits = dict(logits=dict(type='ModuleOutputs', source='head.fc'))
    outputs = {f'preds_{who}': dict(recorder='logits', from_student=who == 'S') for who in 'ST'}
    model = dict(
        _scope_='mmrazor',
        type='SingleTeacherDistill',
        architecture=dict(_scope_='mmpretrain', **CONV),
        teacher=dict(_scope_='mmpretrain', **CONV),
        teacher_ckpt=str(tmp_path / 'teacher/epoch_1.pth'),
        data_preprocessor=dict(type='mmpretrain.ClsDataPreprocessor', **NORM),
        distiller=dict(
            type='ConfigurableDistiller',
            student_recorders=logits,
            teacher_recorders=logits,
            distill_losses=dict(loss_kl=dict(type='KLDivergence')),
            loss_forward_mappings=dict(loss_kl=outputs),
        ),
    )
    train(
        tmp_path / 'student', model, views=1, hooks=[], validate=True, val_cfg=dict(type='mmrazor.SingleTeacherDistillValLoop')
    )
    publish(tmp_path / 'student', tmp_path / 'entry', name='tiny')
    files = {str(path.relative_to(tmp_path)): path for path in tmp_path.rglob('*.pth')}
    names = ('teacher/best', 'teacher/epoch_1.pth', 'teacher/epoch_1-', 'student/epoch_1.pth', 'entry/tiny')
    assert [name for name in names if not any(file.startswith(name) for file in files)] == []
    assert 'ema_state_dict' in load_checkpoint_safely(files['teacher/epoch_1.pth'])
    for name, path in files.items():
        assert torch.serialization.get_unsafe_globals_in_checkpoint(path) == [], name
        assert same(load_checkpoint_safely(path), torch.load(path, weights_only=True)), name
