"""The gate that the content of every checkpoint passes: what a file holds is data, and bounded."""

import time
from collections import OrderedDict

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import load_checkpoint

from icckd_mm.compat.safe_load import load_checkpoint_safely


def bomb(levels=60, start='x'):
    value = start
    for _ in range(levels):
        value = (value, value)
    return value


def deep(levels):
    value = 0
    for _ in range(levels):
        value = [value]
    return value


def cycle():
    value = []
    value.append(value)
    return value


def info(**items):
    return {'message_hub': {'log_scalars': {}, 'runtime_info': items, 'resumed_keys': {}}}


def log(values, counts, length=10):
    form = {'values': values, 'counts': counts, 'max_length': length}
    return {'message_hub': {'log_scalars': {'loss': form}, 'runtime_info': {}, 'resumed_keys': {}}}


def real_log(values, counts):
    buffer = HistoryBuffer()
    buffer._log_history, buffer._count_history = values, counts
    return {'message_hub': {'log_scalars': {'loss': buffer}, 'runtime_info': {}, 'resumed_keys': {}}}


def metadata(value):
    state = OrderedDict(a=torch.ones(1))
    state._metadata = value
    return {'state_dict': state}


FORGED = {
    'tuples that double': (info(x=bomb()), 'it repeats .* items until they are'),
    'lists that double': ({'x': [bomb(40)]}, 'it repeats'),
    'doubling in the optimizer': ({'optimizer': {'state': bomb(50)}}, 'it repeats'),
    'doubling of dicts': ({'a': {n: m for n in range(9) for m in [bomb(30, {})]}}, 'it repeats'),
    'doubling in the metadata': (metadata({'': {'version': bomb()}}), 'it repeats'),
    'deep lists': ({'x': deep(300)}, 'nested more than 100 deep'),
    'a list in itself': ({'x': cycle()}, 'nested more than 100 deep'),
    'tensors without bytes': (
        {'state_dict': {'a': torch.zeros(1).expand(2**40)}},
        'that repeats 4 bytes',
    ),
    'many tensors without bytes': ({str(n): torch.zeros(1).expand(2**20) for n in range(40)}, 'its tensors claim'),
    'meta=None': ({'meta': None}, 'meta is a NoneType, not a dict'),
    'meta is a list': ({'meta': [1]}, 'meta is a list, not a dict'),
    'meta holds a slice': ({'meta': {'x': slice(1)}}, 'meta.x holds a slice'),
    'config is a number': ({'meta': {'config': 3}}, 'meta.config is a int, not a dict'),
    'epoch is a text': ({'meta': {'epoch': '3'}}, "meta.epoch is '3'; give a whole number"),
    'epoch is negative': ({'meta': {'epoch': -1}}, 'meta.epoch is -1'),
    'epoch is not an integer': ({'meta': {'epoch': 1.0}}, 'meta.epoch is 1.0'),
    'epoch is true': ({'meta': {'epoch': True}}, 'meta.epoch is True'),
    'iter is huge': ({'meta': {'iter': 10**30}}, 'meta.iter is 10000'),
    'iter is a tensor': ({'meta': {'iter': torch.ones(1)}}, 'meta.iter is tensor'),
    'seed is negative': ({'meta': {'seed': -2}}, 'meta.seed is -2'),
    'weights are a list': ({'state_dict': [1]}, 'state_dict is a list, not a dict'),
    'numbers as names of weights': ({'state_dict': {3: torch.ones(1)}}, 'state_dict has the key 3'),
    'averages are a list': ({'ema_state_dict': [1]}, 'ema_state_dict is a list'),
    'a version is a text': (metadata({'': {'version': 'x'}}), r"version is 'x'; give a whole number"),
    'metadata is a number': (metadata(3), 'a int, not dict or OrderedDict'),
    'entries of the metadata': (metadata({'': 3}), r"_metadata\[''\] is a int"),
    'hub is an object': ({'message_hub': slice(1)}, 'message_hub holds a slice'),
    'an object in the hub': ({'message_hub': {'x': slice(1)}}, 'holds a slice'),
    'hub without keys': ({'message_hub': {'log_scalars': [], 'runtime_info': {}, 'resumed_keys': {}}}, 'log_scalars is a list'),
    'keys of the hub': (
        {'message_hub': {'log_scalars': {1: 2}, 'runtime_info': {}, 'resumed_keys': {}}},
        'keys that are not names',
    ),
    'a log with codes for the terminal': (
        {'message_hub': {'log_scalars': {'train/\x1b[2J': 2}, 'runtime_info': {}, 'resumed_keys': {}}},
        'keys that are not names',
    ),
    'flags': (
        {'message_hub': {'log_scalars': {}, 'runtime_info': {}, 'resumed_keys': {'a': 3}}},
        r"resumed_keys\['a'\] is a int",
    ),
    'a path is a list': (info(best_ckpt=['a']), 'best_ckpt is a list; give the name of a file'),
    'a path of a metric': (info(best_ckpt_acc=3), 'best_ckpt_acc is a int'),
    'numbers of files are texts': (info(keep_ckpt_ids=['../../x']), r"keep_ckpt_ids is '\.\./\.\./x'"),
    'numbers of files are one': (info(keep_ckpt_ids='epoch'), "keep_ckpt_ids is 'epoch'"),
    'a score is a text': (info(best_score='high'), "best_score is 'high'; give a number"),
    'a score is nan': (info(best_score=float('nan')), 'best_score is nan'),
    'a log of texts': (log(['a'], [1]), 'not a number'),
    'a log of matrices': (log(torch.ones(2, 2), torch.ones(2)), 'not a row of numbers'),
    'a log of complex numbers': (log(torch.ones(2) * 1j, torch.ones(2)), 'not a row of numbers'),
    'a log longer than it may be': (log([1.0] * 11, [1] * 11), 'has 11 values, 11 counts and a length of 10'),
    'counts of another length': (log(torch.ones(3), torch.ones(2)), 'has 3 values, 2 counts'),
    'a length that is none': (log([1.0], [1], -1), r'max_length is -1'),
    'a length without end': (log([1.0], [1], 10**12), 'max_length is 1000000000000'),
    'mmengine logs of texts': (real_log(np.array(['a']), np.array([1])), 'not hold two rows of numbers'),
    'mmengine logs without counts': (real_log(np.array([1.0, 2.0]), np.array([1])), 'values, counts and length do not fit'),
}


@pytest.mark.parametrize('name', FORGED)
def test_a_forged_content_is_one_line_with_the_file(name, tmp_path):
    content, message = FORGED[name]
    path = tmp_path / 'x.pth'
    torch.save(content, path)
    assert path.stat().st_size < 10_000
    begun = time.monotonic()
    with pytest.raises(
        ValueError, match=rf'x\.pth (was not loaded: |.* is damaged or not a PyTorch checkpoint).*{message}'
    ) as caught:
        load_checkpoint_safely(path)
    assert time.monotonic() - begun < 60
    assert '\n' not in str(caught.value).split('tensor(')[0]


def test_mmengine_loads_through_the_gate(tmp_path):
    torch.save({'state_dict': {'weight': torch.ones(1, 1)}, 'meta': {'config': 'import os'}}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match='could run code'):
        load_checkpoint(torch.nn.Linear(1, 1), str(tmp_path / 'x.pth'))


def test_what_others_keep_in_a_file_passes(tmp_path):
    """Names that are weights, containers that are shared, large logs of older versions, expanded masks."""
    shared = {'a': [1, 2]}
    content = {
        'meta': torch.ones(2),
        'message_hub': log([0.5] * 50_000, [1] * 50_000, 10**6)['message_hub'],
        'x': [shared, shared],
        'y': torch.zeros(1).expand(1000, 1000),
        'z': {(1, 2): deep(90), None: {1.5: bytearray(b'x')}},
    }
    torch.save(content, tmp_path / 'x.pth')
    assert load_checkpoint_safely(tmp_path / 'x.pth').keys() == content.keys()
    torch.save([torch.ones(1)], tmp_path / 'x.pth')
    assert load_checkpoint_safely(tmp_path / 'x.pth')[0] == 1
