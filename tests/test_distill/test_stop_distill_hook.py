"""Distillation ends at an epoch: alone, with self-distillation, and in two gloo processes with a connector."""

import copy

import pytest
from mmengine.registry import MODELS

from icckd_mm.distill.hooks import StopDistillHook
from icckd_mm.distill.hooks.stop_distill_hook import zero_losses
from tests.helpers import equal, state, train
from tests.test_distill.cases import CONNECTED, algorithm, weights
from tests.test_distill.test_loops import SELF

STOP = dict(type='icckd_mm.StopDistillHook', stop_epoch=1)


def kl(steps):
    return [step['distill.loss_kl'] for step in steps]


@pytest.mark.parametrize('own', [True, False])
def test_the_losses_are_0_from_that_epoch_on(tmp_path, own):
    """In our algorithm and in mmrazor's."""
    model = algorithm(weights(tmp_path / 't.pth'), distiller=CONNECTED)
    if not own:
        model['type'] = 'SingleTeacherDistill'
    _, steps = train(tmp_path / 'run', model, hooks=(STOP,), views=1, epochs=2)
    assert all(value > 0 for value in kl(steps[:4]))
    assert kl(steps[4:]) == [0, 0, 0, 0]


def test_the_student_then_learns_from_the_labels_alone(tmp_path):
    path = weights(tmp_path / 't.pth')
    first, _ = train(tmp_path / 'a', algorithm(path), hooks=({**STOP, 'stop_epoch': 0},), views=1)
    undistilled = algorithm(path)
    undistilled['distiller'].update(distill_losses=None, loss_forward_mappings=None)
    second, _ = train(tmp_path / 'b', undistilled, hooks=(), views=1)
    assert equal(state(first.model.student), state(second.model.student))


def test_a_resumed_run_has_stopped_too(tmp_path):
    path = weights(tmp_path / 't.pth')
    train(tmp_path / 'a', algorithm(path), hooks=(STOP,), views=1, epochs=2)
    options = dict(resume=True, load_from=str(tmp_path / 'a/epoch_2.pth'))
    _, steps = train(tmp_path / 'b', algorithm(path), hooks=(STOP,), views=1, epochs=3, **options)
    assert kl(steps) == [0, 0, 0, 0]


def test_self_distillation_stops_where_mmrazor_raises(tmp_path):
    with pytest.raises(AssertionError):
        train(
            tmp_path / 'a', copy.deepcopy(SELF), hooks=(dict(type='mmrazor.StopDistillHook', stop_epoch=1),), views=1, epochs=2
        )
    _, steps = train(tmp_path / 'b', copy.deepcopy(SELF), hooks=(STOP,), views=1, epochs=2)
    assert kl(steps[4:]) == [0, 0, 0, 0]


def test_what_cannot_work_is_refused(tmp_path):
    with pytest.raises(ValueError, match='stop_epoch must be an integer of at least 0, got -1'):
        StopDistillHook(-1)
    with pytest.raises(ValueError, match='ImageClassifier has none'):
        train(tmp_path / 'a', hooks=(STOP,), views=1)
    model = algorithm(weights(tmp_path / 't.pth'), calculate_student_loss=False)
    with pytest.raises(ValueError, match='nothing is left to train'):
        train(tmp_path / 'b', model, hooks=(STOP,), views=1)


def two_epochs(folder, path, kind):
    """What a rank says: the error, the distillation losses, the student."""
    options = dict(launcher='pytorch', env_cfg=dict(dist_cfg=dict(backend='gloo')), find_unused_parameters=False, batch=8)
    try:
        hooks = (dict(type=kind, stop_epoch=1),)
        runner, steps = train(folder, algorithm(path, distiller=CONNECTED), hooks=hooks, views=1, epochs=2, **options)
        return '', kl(steps), state(runner.model.module.student)
    except RuntimeError as error:
        return str(error), [], {}


@pytest.mark.parametrize('kind', ['mmrazor', 'icckd_mm'])
def test_two_processes_with_a_connector(processes, tmp_path, kind):
    """mmrazor's hook ends DDP with find_unused_parameters=False; ours continues."""
    path = weights(tmp_path / 't.pth')
    results = processes.run(two_epochs, str(tmp_path / 'run'), path, f'{kind}.StopDistillHook')
    if kind == 'mmrazor':
        assert all('Expected to have finished reduction' in error for error, _, _ in results)
        return
    (error, first_kl, first), (_, second_kl, second) = results
    assert error == ''
    assert first_kl[2:] == second_kl[2:] == [0, 0]
    assert min(first_kl[:2] + second_kl[:2]) > 0
    assert all((value == second[name]).all() for name, value in first.items() if 'running' not in name)


def test_the_zeros_need_no_parameters(tmp_path):
    model = MODELS.build(algorithm(weights(tmp_path / 't.pth')))
    assert zero_losses(model.distiller)['loss_kl'].item() == 0
