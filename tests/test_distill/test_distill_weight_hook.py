"""The weight of distillation losses follows the epoch, in our algorithm and mmrazor's, resumed too, and spares the labels."""

import copy

import pytest

from icckd_mm.distill.hooks import DistillWeightHook
from icckd_mm.distill.hooks.distill_weight_hook import cosine_weight, warmup_weight
from tests.helpers import equal, state, train
from tests.test_distill.cases import CONNECTED, algorithm, weights

WARMUP = dict(type='icckd_mm.DistillWeightHook', losses=['loss_kl'], schedule='warmup', epochs=4)
FROZEN = dict(optimizer=dict(type='SGD', lr=0.0))  # the networks stay as they are: losses differ by their weight alone


def test_the_published_values():
    assert [warmup_weight(epoch, 0, 20) for epoch in (1, 10, 20, 21, 240)] == [0.05, 0.5, 1, 1, 1]
    assert cosine_weight(150, 150, 90) == 1
    assert cosine_weight(151, 150, 90) == pytest.approx(0.99969541, abs=1e-8)
    assert cosine_weight(195, 150, 90) == pytest.approx(0.5)
    assert cosine_weight(240, 150, 90) == pytest.approx(0, abs=1e-12)


STILL = dict(views=1, batch=32, epochs=5, optim_wrapper=FROZEN)  # all images are one batch


@pytest.fixture(scope='module')
def plain(tmp_path_factory):
    """Steps without the hook: nothing learns, so that the losses of others differ from these by their weight alone."""
    folder = tmp_path_factory.mktemp('plain')
    _, steps = train(folder / 'run', algorithm(weights(folder / 't.pth')), hooks=(), **STILL)
    return steps


@pytest.mark.parametrize(
    ('kind', 'settings', 'expected'),
    [
        ('icckd_mm.SafeTeacherDistill', dict(schedule='warmup', epochs=4), [0.25, 0.5, 0.75, 1.0, 1.0]),
        ('SingleTeacherDistill', dict(schedule='warmup', epochs=2, start=1), [0.0, 0.5, 1.0, 1.0, 1.0]),
        ('icckd_mm.SafeTeacherDistill', dict(schedule='cosine', epochs=2, start=1), [1.0, 0.5, 0.0, 0.0, 0.0]),
        ('icckd_mm.SafeTeacherDistill', dict(schedule='cosine', start=3), [1.0, 1.0, 1.0, 0.5, 0.0]),  # until the end
    ],
)
def test_each_epoch_has_its_weight(tmp_path, plain, kind, settings, expected):
    model = {**algorithm(weights(tmp_path / 't.pth')), 'type': kind}
    hook = dict(type='icckd_mm.DistillWeightHook', losses=['loss_kl'], **settings)
    runner, steps = train(tmp_path / 'run', model, hooks=(hook,), **STILL)
    ratios = [step['distill.loss_kl'] / other['distill.loss_kl'] for step, other in zip(steps, plain)]
    assert ratios == pytest.approx(expected, abs=1e-6)
    assert [step['student.loss'] for step in steps] == [step['student.loss'] for step in plain]
    assert not runner.model.distiller.distill_losses['loss_kl']._forward_hooks


def test_a_loop_by_iterations_counts_the_batches(tmp_path):
    loop = dict(type='IterBasedTrainLoop', max_iters=6, val_interval=100)
    checkpoint = dict(type='icckd_mm.ExactCheckpointHook', interval=6, by_epoch=False)
    more = dict(views=1, batch=16, train_cfg=loop, default_hooks=dict(checkpoint=checkpoint), optim_wrapper=FROZEN)
    model = algorithm(weights(tmp_path / 't.pth'))
    _, steps = train(tmp_path / 'run', model, hooks=(WARMUP,), **more)
    _, plain = train(tmp_path / 'plain', model, hooks=(), **more)
    ratios = [step['distill.loss_kl'] / other['distill.loss_kl'] for step, other in zip(steps, plain)]
    assert ratios == pytest.approx([0.25, 0.25, 0.5, 0.5, 0.75, 0.75], abs=1e-6)


def test_a_resumed_run_is_bit_equal(tmp_path):
    model = algorithm(weights(tmp_path / 't.pth'), distiller=CONNECTED)
    whole, _ = train(tmp_path / 'a', model, hooks=(WARMUP,), views=1, epochs=3)
    options = dict(resume=True, load_from=str(tmp_path / 'a/epoch_1.pth'))
    resumed, _ = train(tmp_path / 'b', model, hooks=(WARMUP,), views=1, epochs=3, **options)
    assert equal(state(whole.model), state(resumed.model))


def test_it_goes_with_the_end_of_distillation(tmp_path):
    stop = dict(type='icckd_mm.StopDistillHook', stop_epoch=1)
    model = {**algorithm(weights(tmp_path / 't.pth')), 'type': 'SingleTeacherDistill'}
    _, steps = train(tmp_path / 'run', model, hooks=(WARMUP, stop), views=1, epochs=2)
    assert [step['distill.loss_kl'] > 0 for step in steps] == [True] * 4 + [False] * 4


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (dict(losses=['loss_kl'], schedule='linear', epochs=1), "schedule must be one of cosine, warmup, got 'linear'"),
        (dict(losses='loss_kl', epochs=1), "losses must be a list of names .* got 'loss_kl'"),
        (dict(losses=[], epochs=1), r'losses must be a list of names .* got \[\]'),
        (dict(losses=['loss_kl']), 'epochs must be an integer of at least 1, got None'),
        (dict(losses=['loss_kl', 'loss_at', 'loss_kl'], epochs=2), "losses names 'loss_kl' twice, .* name each loss once"),
        (dict(losses=['loss_kl'], epochs=0), 'epochs must be an integer of at least 1, got 0'),
        (dict(losses=['loss_kl'], epochs=2, start=-1), 'start must be an integer of at least 0, got -1'),
    ],
)
def test_wrong_arguments_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        DistillWeightHook(**arguments)


def test_a_loss_that_is_not_there_is_refused_before_training(tmp_path):
    hook = {**copy.deepcopy(WARMUP), 'losses': ['loss_dkd']}
    with pytest.raises(ValueError, match="'loss_dkd' is not a loss of the distiller; it has loss_kl"):
        train(tmp_path / 'a', algorithm(weights(tmp_path / 't.pth')), hooks=(hook,), views=1)
    with pytest.raises(ValueError, match='ImageClassifier has none'):
        train(tmp_path / 'b', hooks=(hook,), views=1)
