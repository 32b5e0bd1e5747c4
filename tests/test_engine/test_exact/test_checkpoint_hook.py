from collections import Counter, OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from icckd_mm.engine.exact.log_history import unpack_history
from icckd_mm.engine.exact.serialisation import to_plain
from tests.helpers import build, equal, train

STOCK = dict(checkpoint=dict(type='CheckpointHook', interval=1), logger=dict(type='LoggerHook', interval=2))


def test_files_open_without_any_object(tmp_path):
    """Reliability test 16: with best score, EMA, schedulers and metrics inside."""
    train(
        tmp_path,
        epochs=2,
        validate=True,
        param_scheduler=[dict(type='MultiStepLR', milestones=[1]), dict(type='CosineAnnealingLR', T_max=2)],
        hooks=[dict(type='EMAHook')],
        views=1,
        default_hooks=dict(
            checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1, save_best='auto', max_keep_ckpts=1)
        ),
    )
    files = sorted(tmp_path.glob('*.pth'))
    assert [file.name[:4] for file in files] == ['best', 'epoc']
    for file in files:
        checkpoint = torch.load(file, weights_only=True)
        assert {'meta', 'state_dict', 'message_hub', 'ema_state_dict'} <= set(checkpoint)
        assert ('param_schedulers' in checkpoint) == file.name.startswith('epoch')  # mmengine leaves them out of the best one
        if hasattr(torch.serialization, 'get_unsafe_globals_in_checkpoint'):
            assert torch.serialization.get_unsafe_globals_in_checkpoint(file) == []


@pytest.mark.parametrize(('writer', 'reader'), [('ours', 'ours'), ('stock', 'ours'), ('ours', 'stock')])
def test_resume_goes_on_with_the_same_weights_whoever_wrote_the_file(writer, reader, tmp_path):
    hooks = {'ours': {}, 'stock': dict(default_hooks=STOCK)}
    straight, _ = train(tmp_path / 'straight', epochs=2, **hooks[reader])
    first, _ = train(tmp_path / 'split', **hooks[writer])
    history = first.message_hub.get_scalar('train/loss').data[0]
    second, _ = train(tmp_path / 'split', epochs=2, resume=True, **hooks[reader])
    assert second.iter == straight.iter == 8
    if (writer, reader) != ('ours', 'stock'):  # the stock hook cannot read our plain history and says so
        assert np.array_equal(second.message_hub.get_scalar('train/loss').data[0][: len(history)], history)
        assert len(second.message_hub.get_scalar('train/loss').data[0]) == 8
    momentum = [runner.optim_wrapper.state_dict()['state'][0]['momentum_buffer'].shape for runner in (straight, second)]
    assert momentum[0] == momentum[1]


def test_resume_without_randomness_in_the_data_is_exact(tmp_path):
    """2 epochs = 1 + 1, bit-identical, if the sampler's order depends only on the epoch and nothing is augmented."""
    plain = [dict(type='MultiView', num_views=2, transforms=[[dict(type='CenterCrop', crop_size=8)]]), dict(type='PackInputs')]
    loader = dict(
        batch_size=8,
        num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='icckd_mm.Digits', scale=8, indices=32, pipeline=plain),
    )
    straight, _ = train(tmp_path / 'straight', epochs=2, train_dataloader=loader)
    train(tmp_path / 'split', train_dataloader=loader)
    split, _ = train(tmp_path / 'split', epochs=2, resume=True, train_dataloader=loader)
    assert equal(straight.model.state_dict(), split.model.state_dict())


@pytest.mark.parametrize(
    ('values', 'counts'),
    [
        ([1.0, 0.1, 0.5], [1, 1, 1]),
        ([0.5, -0.0, float('inf')], [1, 2, 1]),
        ([float('nan'), 1e300], [7, 7]),
        ([3, 4], [1, 1]),
        ([], []),
    ],
)
def test_a_log_in_tensors_is_the_same_log(values, counts):
    log = HistoryBuffer(values, counts, 5)
    packed = to_plain({'log': log}, 'hub')['log']
    assert all(isinstance(packed[key], torch.Tensor) for key in ('values', 'counts'))
    for form in (packed, {'values': values, 'counts': counts, 'max_length': 5}):  # the second is that of older versions
        again = unpack_history(form)
        assert again.max_length == 5
        for one, other in zip(again.data, log.data):
            assert one.dtype == other.dtype
            assert np.array_equal(one, other, equal_nan=True)
            assert np.array_equal(np.signbit(one), np.signbit(other))
        again.update(2.0)  # its arrays are its own
        assert len(log.data[0]) == len(values)


def test_plain_forms():
    assert to_plain(np.float64(0.5), 'x') == 0.5
    assert type(to_plain(np.float64(0.5), 'x')) is float
    assert to_plain({'a': np.arange(3), 'b': {Path('c')}}, 'x') == {'a': [0, 1, 2], 'b': ['c']}
    assert to_plain(Counter([1, 1]), 'x') == {1: 2}
    weights = OrderedDict(a=torch.nn.Parameter(torch.ones(2)))
    weights._metadata = {'': {'version': 1}}
    plain = to_plain(weights, 'state_dict')
    assert type(plain['a']) is torch.Tensor
    assert plain._metadata == weights._metadata


def test_an_object_is_refused_with_its_place():
    with pytest.raises(TypeError, match=r'meta\.thing\[1\] in the checkpoint is a builtins\.object'):
        to_plain({'thing': [1, object()]}, 'meta')


def test_published_files_are_plain_too(tmp_path):
    """mmengine's published_keys reads the file back at the end of training."""
    checkpoint = dict(type='icckd_mm.ExactCheckpointHook', interval=1, published_keys=['meta', 'state_dict'])
    train(tmp_path, default_hooks=dict(checkpoint=checkpoint))
    (published,) = tmp_path.glob('epoch_1-*.pth')
    assert set(torch.load(published, weights_only=True)) == {'meta', 'state_dict'}


def test_a_fresh_runner_resumes_from_last_checkpoint(tmp_path):
    train(tmp_path, epochs=2)
    runner = build(tmp_path, epochs=3, resume=True)
    runner.train()
    assert runner.epoch == 3
