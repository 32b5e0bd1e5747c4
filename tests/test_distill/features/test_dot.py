"""DOT: two momentum buffers, and gradients of labels and distillation apart, in one process and two, with resume."""

import pytest
import torch
from mmengine.model import MMDistributedDataParallel
from mmengine.optim import build_optim_wrapper
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.structures import DataSample

from icckd_mm.distill.optim import DOTSGD
from tests.helpers import CONV, equal, state, train
from tests.test_distill.cases import CONNECTED, algorithm, weights
from tests.test_engine.test_exact.test_resume import PullThePlug

OPTIM = dict(
    type='icckd_mm.DOTOptimWrapper',
    optimizer=dict(type='icckd_mm.DOTSGD', lr=0.05, momentum=0.9, delta=0.075, weight_decay=0.01),
)
EXACT = dict(train_cfg=dict(type='icckd_mm.ExactTrainLoop', max_epochs=2), views=1, hooks=[], val_cfg=None)


def steps_of(weight_decay=0.0, kd=2.0, steps=4):
    """Values of a parameter at 1 whose gradients are 1 of the labels and ``kd``."""
    value = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
    optimizer, found = DOTSGD([value], lr=0.1, weight_decay=weight_decay), []
    for _ in range(steps):
        value.grad = torch.tensor(1.0 + (kd or 0.0), dtype=torch.float64)
        optimizer.step(kd_grads=None if kd is None else {value: torch.tensor(kd, dtype=torch.float64)})
        found.append(value.item())
    return found


@pytest.mark.parametrize(
    ('weight_decay', 'expected'),
    [(0.0, [0.7, 0.1225, -0.7131875, -1.7903984375]), (0.1, [0.69, 0.09735, -0.75180975, -1.8326171963])],
)
def test_a_parameter_moves_as_worked_out(weight_decay, expected):
    assert steps_of(weight_decay) == pytest.approx(expected, abs=1e-9)


def test_equal_gradients_and_a_single_one_are_those_of_sgd():
    def sgd(gradient, steps, weight_decay=0.0):
        value = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
        optimizer = torch.optim.SGD([value], lr=0.1, momentum=0.9, weight_decay=weight_decay)
        for _ in range(steps):
            value.grad = torch.tensor(gradient, dtype=torch.float64)
            optimizer.step()
        return value.item()

    assert steps_of(kd=1.0)[1] == pytest.approx(sgd(2.0, 2))
    assert steps_of(kd=1.0)[2] != pytest.approx(sgd(2.0, 3), rel=1e-3)
    assert steps_of(0.1, kd=None)[3] == pytest.approx(sgd(1.0, 4, 0.1))


def test_a_distillation_that_stops_leaves_its_buffer_to_decay():
    value = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = DOTSGD([value], lr=1.0, momentum=0.5, delta=0.25)
    value.grad = torch.tensor(3.0, dtype=torch.float64)
    optimizer.step(kd_grads={value: torch.tensor(2.0, dtype=torch.float64)})
    value.grad = torch.tensor(1.0, dtype=torch.float64)
    optimizer.step(kd_grads={})
    assert value.item() == pytest.approx(-3 - (0.25 * 1 + 1) - 0.75 * 2)


def batch(seed, images=8):
    generator = torch.Generator().manual_seed(seed)
    inputs = [torch.randint(256, (3, 8, 8), generator=generator, dtype=torch.uint8) for _ in range(images)]
    return dict(inputs=inputs, data_samples=[DataSample().set_gt_label(number % 10) for number in range(images)])


def as_weights(network, inputs):
    """Images in the precision of the weights."""
    return (inputs[0].to(next(network.parameters()).dtype), *inputs[1:])


def built(ckpt, optim=OPTIM):
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(algorithm(ckpt, distiller=CONNECTED)).double().train()
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval().requires_grad_(False)  # statistics of the own half would differ
                module.train = lambda mode=True: None
        for network in (model.student, model.teacher):
            network.register_forward_pre_hook(as_weights)
        return model, build_optim_wrapper(model, optim)


def test_both_gradients_reach_their_buffers(tmp_path):
    """Against two backward passes written out; the connector has one buffer."""
    model, wrapper = built(weights(tmp_path / 'teacher.pth'))
    data = model.data_preprocessor(batch(1), True)
    losses = model(**data, mode='loss')
    named = {name: value for name, value in model.named_parameters() if value.requires_grad}
    parts = {'student.loss': 'task_buffer', 'distill.loss_kl': 'kd_buffer'}
    before = {name: value.detach().clone() for name, value in named.items()}
    grads = {
        key: torch.autograd.grad(losses[loss], list(named.values()), retain_graph=True, allow_unused=True)
        for loss, key in parts.items()
    }
    logged = model.train_step(batch(1), wrapper)
    assert logged['loss'].item() == pytest.approx((losses['student.loss'] + losses['distill.loss_kl']).item())
    for index, (name, value) in enumerate(named.items()):
        task, kd = grads['task_buffer'][index], grads['kd_buffer'][index]
        found = wrapper.optimizer.state[value]
        decay = 0.01 * before[name]
        if name.startswith('distiller.'):
            assert task is None
            assert found.keys() == {'task_buffer'}
            torch.testing.assert_close(found['task_buffer'], kd + decay)
        else:
            torch.testing.assert_close(found['kd_buffer'], kd)
            torch.testing.assert_close(found['task_buffer'], task + decay)
            torch.testing.assert_close(value, before[name] - 0.05 * (task + kd + decay))


def trained(ckpt, halves):
    """Weights after three steps of DDP on the own half of each batch."""
    model, wrapper = built(ckpt)
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
    parallel = MMDistributedDataParallel(model) if torch.distributed.is_initialized() else model
    for step in range(3):
        data = batch(step)
        share = slice(4 * rank, 4 * rank + 4) if halves else slice(None)
        parallel.train_step({key: value[share] for key, value in data.items()}, wrapper)
    return {name: value.detach() for name, value in model.named_parameters()}


def test_two_processes_equal_one_on_the_joined_batch(processes, tmp_path):
    ckpt = weights(tmp_path / 'teacher.pth')
    expected = trained(ckpt, halves=False)
    for found in processes.run(trained, ckpt, True):
        torch.testing.assert_close(found, expected, rtol=1e-9, atol=1e-11)


def test_a_resumed_run_is_bit_identical_with_both_buffers_under_the_guard(tmp_path):
    model = algorithm(weights(tmp_path / 'teacher.pth'), distiller=CONNECTED)
    guarded = dict(
        checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1), finite_guard=dict(type='icckd_mm.FiniteGuardHook')
    )
    options = {**EXACT, 'optim_wrapper': OPTIM, 'default_hooks': guarded}
    whole, _ = train(tmp_path / 'whole', model, **options)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / 'parts', model, **{**options, 'hooks': [PullThePlug(6)]})
    resumed, _ = train(tmp_path / 'parts', model, resume=True, **options)
    assert equal(state(whole.model), state(resumed.model))
    pairs = [run.optim_wrapper.state_dict()['state'] for run in (whole, resumed)]
    assert any('kd_buffer' in one for one in pairs[0].values())
    for first, second in zip(*(one.values() for one in pairs)):
        assert equal(first, second)


def test_a_non_finite_gradient_is_not_taken_in(tmp_path):
    """The deferred guard undoes the update of weights and of both buffers."""
    from icckd_mm.engine.finite.guarded_step import GuardedStep

    model, wrapper = built(weights(tmp_path / 'teacher.pth'))
    model.train_step(batch(0), wrapper)
    guard = GuardedStep(wrapper, model, deferred=True)
    before = state(model), [{k: v.clone() for k, v in one.items()} for one in wrapper.optimizer.state.values()]
    model.distiller.distill_losses['loss_kl'].loss_weight = float('nan')
    model.train_step(batch(1), wrapper)
    guard.detach()
    assert equal(state(model), before[0])
    for first, second in zip(wrapper.optimizer.state.values(), before[1]):
        assert equal(first, second)


@pytest.mark.skipif(not torch.cuda.is_available(), reason='mmengine refuses AMP without a GPU')
def test_one_scale_serves_both_gradients_under_amp(tmp_path):
    model, plain = built(weights(tmp_path / 'teacher.pth'))
    model, scaled = model.float().cuda(), None
    scaled = build_optim_wrapper(model, {**OPTIM, 'type': 'icckd_mm.DOTAmpOptimWrapper', 'loss_scale': 1024.0})
    start = {name: value.clone() for name, value in model.state_dict().items()}
    found = []
    for wrapper in (build_optim_wrapper(model, OPTIM), scaled):
        model.load_state_dict(start)
        model.train_step(batch(1), wrapper)
        found.append([one['kd_buffer'].clone() for one in wrapper.optimizer.state.values() if 'kd_buffer' in one])
    assert plain is not scaled
    torch.testing.assert_close(*found, rtol=0.1, atol=1e-3)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(accumulative_counts=2), 'neither accumulates nor clips'),
        (dict(clip_grad=dict(max_norm=1.0)), 'neither accumulates nor clips'),
        (dict(optimizer=dict(type='SGD', lr=0.1)), "optimizer.type='icckd_mm.DOTSGD', got SGD"),
    ],
)
def test_what_would_mix_the_gradients_is_refused(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        built(weights(tmp_path / 'teacher.pth'), {**OPTIM, **options})


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(delta=0.95), 'must lie in'),
        (dict(delta=0.1), 'must lie in'),
        (dict(delta=-0.1), 'delta must'),
        (dict(lr=0.0), 'lr must'),
        (dict(weight_decay=-1.0), 'weight_decay must'),
    ],
)
def test_the_optimizer_names_what_is_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        DOTSGD([torch.nn.Parameter(torch.ones(1))], **options)


def test_several_groups_and_a_closure_are_refused():
    first, second = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    with pytest.raises(ValueError, match='one group of parameters, got 2'):
        DOTSGD([dict(params=[first]), dict(params=[second])])
    with pytest.raises(ValueError, match='takes no closure'):
        DOTSGD([first]).step(lambda: 0.0)


def test_a_model_without_two_losses_is_refused(tmp_path):
    model, wrapper = built(weights(tmp_path / 'teacher.pth'))
    model.calculate_student_loss = False
    with pytest.raises(ValueError, match='calculate_student_loss=True'):
        model.train_step(batch(0), wrapper)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        plain = MODELS.build(CONV)
        plain_wrapper = build_optim_wrapper(plain, OPTIM)
    with pytest.raises(ValueError, match=r"model\.type='icckd_mm\.SafeTeacherDistill'"):
        plain.train_step(batch(0), plain_wrapper)
