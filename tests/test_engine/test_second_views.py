"""What reaches the loss under each way to the positive, in real runs on digits."""

import copy

import pytest
import torch
from mmengine.hooks import Hook
from torch.nn.functional import interpolate, normalize

from icckd_mm.engine.checkpoint_difference import checkpoint_differences
from tests.helpers import CONV, ICC, config, train

CROPPED = ['no_grad', 'half', 'small', 'momentum']


def hook(second_view):
    return {**ICC, 'second_view': second_view}


class Spy(Hook):
    """Notes what the loss is given, the network before each step, and the batch."""

    priority = 'LOWEST'

    def __init__(self):
        self.given, self.networks, self.batches = [], [], []

    def before_train(self, runner):
        runner.model.icc_loss.register_forward_pre_hook(lambda _, args: self.given.append([x.detach().clone() for x in args]))

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        network = {name: getattr(runner.model, name) for name in ('backbone', 'neck')}
        self.networks.append(copy.deepcopy(network))
        self.batches.append(runner.model.data_preprocessor(copy.deepcopy(data_batch), True)['inputs'])


def features(network, images):
    network['backbone'].train()
    with torch.no_grad():
        return network['neck'](network['backbone'](images))[-1]


def spied(folder, second_view, **options):
    spy = Spy()
    runner, steps = train(folder, hooks=(hook(second_view), spy), images=16, **options)
    return spy, runner, steps


@pytest.mark.parametrize('second_view', ['no_grad', 'small'])
def test_the_positive_is_a_pass_of_view_two(second_view, tmp_path):
    spy, *_ = spied(tmp_path, second_view)
    for (anchors, positives, *_), network, images in zip(spy.given, spy.networks, spy.batches):
        first, second = images.chunk(2)
        if second_view == 'small':
            second = interpolate(second, size=[6, 6], mode='bilinear', antialias=True)
        torch.testing.assert_close(positives, features(network, second))
        torch.testing.assert_close(anchors, features(network, first))


def test_half_takes_the_halves_in_turn(tmp_path):
    spy, *_ = spied(tmp_path, 'half', batch=5)
    sizes = []
    for number, ((anchors, positives, logits, labels), network, images) in enumerate(zip(spy.given, spy.networks, spy.batches)):
        first, second = images.chunk(2)
        half = slice(len(first) // 2, None) if number % 2 else slice(len(first) // 2)
        if len(first) == 1:
            half = slice(None)  # nothing to halve
        torch.testing.assert_close(positives, features(network, second[half]))
        torch.testing.assert_close(anchors, features(network, first)[half])
        sizes.append((len(anchors), len(logits), len(labels)))
    assert sizes == [(2, 2, 2), (3, 3, 3), (2, 2, 2), (1, 1, 1)]


def test_momentum_sends_view_two_through_an_average_of_the_network(tmp_path):
    spy, runner, _ = spied(tmp_path, 'momentum')
    average = copy.deepcopy(spy.networks[0])
    for step, ((_, positives, *_), network, images) in enumerate(zip(spy.given, spy.networks, spy.batches)):
        if step:
            for mean, value in zip(average['backbone'].parameters(), network['backbone'].parameters()):
                mean.data.lerp_(value.data, 0.001)
        torch.testing.assert_close(positives, features(average, images.chunk(2)[1]))
    encoder = runner.model.icc_loss.encoder
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not any(name.startswith('icc_loss') for name in encoder.state_dict())
    buffers = dict(runner.model.backbone.named_buffers())
    assert all(torch.equal(value, buffers[name]) for name, value in encoder.backbone.named_buffers())


def test_bank_gives_what_the_image_was_in_the_last_epoch(tmp_path):
    """One view; in the first epoch the image is its own positive."""
    spy, runner, _ = spied(tmp_path, 'bank', views=1, epochs=2)
    order = [sample for epoch in range(2) for sample in _order(runner, epoch)]
    seen = {}
    row = 0
    for anchors, positives, *_ in spy.given:
        for anchor, positive in zip(anchors, positives):
            index = order[row]
            if index in seen:
                torch.testing.assert_close(positive, normalize(seen[index], dim=0), rtol=1e-3, atol=1e-3)
            else:
                assert torch.equal(positive, anchor)
            seen[index] = anchor
            row += 1
    bank = runner.model.icc_loss.bank
    assert bank.features.dtype == torch.float16
    assert bank.written.tolist() == [True] * 16 + [False]


def _order(runner, epoch):
    runner.train_dataloader.sampler.set_epoch(epoch)
    return list(runner.train_dataloader.sampler)


@pytest.mark.parametrize('second_view', [*CROPPED, 'bank'])
def test_only_view_one_counts_in_batch_norm(second_view, tmp_path):
    spy, runner, _ = spied(tmp_path, second_view, views=1 if second_view == 'bank' else 2, batch=16)
    network, images = spy.networks[0], spy.batches[0]
    features(network, images[:16])
    first = dict(network['backbone'].named_buffers())
    assert len(spy.batches) == 1
    assert all(torch.allclose(value, first[name]) for name, value in runner.model.backbone.named_buffers())


@pytest.mark.parametrize('second_view', [*CROPPED, 'bank'])
def test_resumes_exactly_within_an_epoch(second_view, tmp_path):
    """Reliability test 10: halves, averages and banks go on where they were."""

    class Stop(Hook):
        priority = 'LOWEST'

        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            if runner.iter + 1 == 3:
                raise KeyboardInterrupt

    options = dict(
        images=16,
        views=1 if second_view == 'bank' else 2,
        train_cfg=dict(type='icckd_mm.ExactTrainLoop', max_epochs=3),
        default_hooks=dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', by_epoch=False, interval=1, max_keep_ckpts=1)),
    )
    train(tmp_path / 'straight', hooks=(hook(second_view),), **options)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / 'split', hooks=(hook(second_view), Stop()), **options)
    train(tmp_path / 'split', hooks=(hook(second_view),), resume=True, **options)
    files = [torch.load(tmp_path / folder / 'iter_6.pth', weights_only=True) for folder in ('straight', 'split')]
    assert checkpoint_differences(*files) == []


def test_momentum_starts_from_the_weights_that_are_fine_tuned(tmp_path):
    train(tmp_path / 'ce', hooks=(), views=1, images=16)
    spy, *_ = spied(tmp_path / 'icc', 'momentum', load_from=str(tmp_path / 'ce' / 'epoch_1.pth'))
    loaded = torch.load(tmp_path / 'ce' / 'epoch_1.pth', weights_only=True)['state_dict']['backbone.conv1.weight']
    assert torch.equal(spy.networks[0]['backbone'].conv1.weight, loaded)
    torch.testing.assert_close(spy.given[0][1], features(spy.networks[0], spy.batches[0].chunk(2)[1]))


def test_views_must_fit(tmp_path):
    with pytest.raises(ValueError, match=r"'bank' needs one view of each image and its sample_idx, .* gives 2 view"):
        train(tmp_path, hooks=(hook('bank'),))
    loader = config(tmp_path, views=1).train_dataloader
    loader.dataset.pipeline[-1]['meta_keys'] = ()
    with pytest.raises(ValueError, match="leave 'sample_idx' in the meta_keys"):
        train(tmp_path, hooks=(hook('bank'),), views=1, train_dataloader=loader)
    model = dict(CONV, data_preprocessor=dict(type='icckd_mm.TwoViewDataPreprocessor', mean=[78] * 3, std=[82] * 3))
    with pytest.raises(ValueError, match='gives one view of each image, two are needed'):
        train(tmp_path, model, hooks=(hook('half'),), views=1)


@pytest.mark.parametrize('second_view', [*CROPPED, 'bank'])
def test_half_precision_gives_nearly_the_same_loss(second_view, tmp_path):
    """bf16 autocast, 3 % of the loss of the first step, with negatives from the batch."""
    contrast = {**hook(second_view), 'loss': {**ICC['loss'], 'in_batch_negatives': True, 'loss_weight': 1.0}}
    options = dict(hooks=(contrast,), views=1 if second_view == 'bank' else 2, images=32, batch=32)
    _, full = train(tmp_path / 'full', **options)
    with torch.autocast('cpu', dtype=torch.bfloat16, cache_enabled=False):  # weights change within it
        _, half = train(tmp_path / 'half', **options)
    assert half[0]['loss_icc'] > 0.1
    assert half[0]['loss_icc'] == pytest.approx(full[0]['loss_icc'], rel=0.03)
