"""The inputs of the loss with each second view, in real runs on digits."""

import copy

import pytest
import torch
from mmengine.hooks import Hook
from torch.nn.functional import normalize

from icckd_mm.engine.exact.checkpoint_difference import checkpoint_differences
from icckd_mm.teacher import IntraClassContrastHook
from tests.helpers import CONV, ICC, build, config, equal, state, train

WITHOUT_GRADIENT = ['no_grad', 'bank']


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


def test_the_positive_is_a_pass_of_view_two(tmp_path):
    spy, *_ = spied(tmp_path, 'no_grad')
    for (anchors, positives, *_), network, images in zip(spy.given, spy.networks, spy.batches):
        first, second = images.chunk(2)
        torch.testing.assert_close(positives, features(network, second))
        torch.testing.assert_close(anchors, features(network, first))


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


@pytest.mark.parametrize('second_view', WITHOUT_GRADIENT)
def test_only_view_one_counts_in_batch_norm(second_view, tmp_path):
    spy, runner, _ = spied(tmp_path, second_view, views=1 if second_view == 'bank' else 2, batch=16)
    network, images = spy.networks[0], spy.batches[0]
    features(network, images[:16])
    first = dict(network['backbone'].named_buffers())
    assert len(spy.batches) == 1
    assert all(torch.allclose(value, first[name]) for name, value in runner.model.backbone.named_buffers())


@pytest.mark.parametrize('second_view', WITHOUT_GRADIENT)
def test_resumes_exactly_within_an_epoch(second_view, tmp_path):
    """Reliability test 10: queues and banks are resumed."""

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


def test_views_must_fit(tmp_path):
    with pytest.raises(ValueError, match=r"'bank' needs one view of each image and its sample_idx, .* gives 2 view"):
        train(tmp_path, hooks=(hook('bank'),))
    loader = config(tmp_path, views=1).train_dataloader
    loader.dataset.pipeline[-1]['meta_keys'] = ()
    with pytest.raises(ValueError, match="leave 'sample_idx' in the meta_keys"):
        train(tmp_path, hooks=(hook('bank'),), views=1, train_dataloader=loader)
    model = dict(CONV, data_preprocessor=dict(type='icckd_mm.TwoViewDataPreprocessor', mean=[78] * 3, std=[82] * 3))
    with pytest.raises(ValueError, match='gives one view of each image, two are needed'):
        train(tmp_path, model, hooks=(hook('no_grad'),), views=1)


@pytest.mark.parametrize('second_view', WITHOUT_GRADIENT)
def test_half_precision_gives_nearly_the_same_loss(second_view, tmp_path):
    """bf16 autocast, 3 % of the loss of the first step, with negatives from the batch."""
    contrast = {**hook(second_view), 'loss': {**ICC['loss'], 'in_batch_negatives': True, 'loss_weight': 1.0}}
    options = dict(hooks=(contrast,), views=1 if second_view == 'bank' else 2, images=32, batch=32)
    _, full = train(tmp_path / 'full', **options)
    with torch.autocast('cpu', dtype=torch.bfloat16, cache_enabled=False):  # weights change within it
        _, half = train(tmp_path / 'half', **options)
    assert half[0]['loss_icc'] > 0.1
    assert half[0]['loss_icc'] == pytest.approx(full[0]['loss_icc'], rel=0.03)


DROPPED = r"second_view='{}' was dropped after version 0.1.0; use 'no_grad' .* or 'bank'"


@pytest.mark.parametrize('second_view', ['half', 'small', 'momentum'])
def test_a_view_of_version_0_1_0_is_refused_before_training_with_what_to_use(second_view, tmp_path):
    """Also where such a training is resumed."""
    with pytest.raises(ValueError, match=DROPPED.format(second_view)):
        train(tmp_path, hooks=(hook(second_view),))
    train(tmp_path, hooks=(hook('no_grad'),), images=16)
    with pytest.raises(ValueError, match=DROPPED.format(second_view)):
        train(tmp_path, hooks=(hook(second_view),), images=16, epochs=2, resume=True)


@pytest.fixture
def averaged(tmp_path):
    """A checkpoint as second_view='momentum' left it: a copy of the network in icc_loss, also in what EMA keeps."""
    train(tmp_path / 'old', hooks=(hook('no_grad'), dict(type='EMAHook')), validate=True)
    file = tmp_path / 'old' / 'epoch_1.pth'
    content = torch.load(file, weights_only=True)
    network = {name: value for name, value in content['state_dict'].items() if not name.startswith('icc_loss.')}
    content['state_dict'].update({f'icc_loss.encoder.{name}': value for name, value in network.items()})
    content['ema_state_dict'].update({f'module.icc_loss.encoder.{name}': value for name, value in network.items()})
    torch.save(content, file)
    return file


def test_a_checkpoint_of_a_dropped_view_is_tested_with_its_own_config(averaged, tmp_path, caplog):
    """Nothing is reported as unexpected, and the accuracy is that of the network."""
    file = averaged
    expected = build(tmp_path / 'a', hooks=(hook('no_grad'),), validate=True, load_from=str(file))
    tested = build(tmp_path / 'b', hooks=(hook('momentum'),), validate=True, load_from=str(file))
    assert tested.test() == expected.test()
    assert equal(state(tested.model), state(expected.model))
    assert 'unexpected' not in caplog.text
    assert not any('encoder' in name for name in tested.model.state_dict())


@pytest.mark.usefixtures('averaged')
def test_a_checkpoint_of_a_dropped_view_goes_on_with_one_that_is_there(tmp_path):
    """With EMA, whose own copy had the average, too."""
    resumed, steps = train(
        tmp_path / 'old', hooks=(hook('no_grad'), dict(type='EMAHook')), epochs=2, resume=True, validate=True
    )
    assert len(steps) == 4
    assert 'icc_loss.queue.queue' in resumed.model.state_dict()
    assert not any('encoder' in name for name in torch.load(tmp_path / 'old/epoch_2.pth', weights_only=True)['state_dict'])


def test_a_view_that_is_unknown_is_refused():
    with pytest.raises(ValueError, match="second_view must be one of grad, no_grad, bank, got 'third'"):
        IntraClassContrastHook(loss={}, second_view='third')


@pytest.mark.parametrize(('padding', 'equal_views'), [(0, True), (1, False)])
def test_equal_views_are_said_before_training(padding, equal_views, tmp_path):
    """A crop of the whole image without padding draws nothing."""
    loader = config(tmp_path).train_dataloader
    loader.dataset.pipeline[0].transforms[0][0].padding = padding
    runner = build(tmp_path, hooks=(ICC,), train_dataloader=loader, images=16)
    warned = []
    runner.logger.warning = lambda text, *_: warned.append(text)
    runner.train()
    said = [text for text in warned if 'both views of each of the first 8 training images are equal' in text]
    assert len(said) == equal_views
