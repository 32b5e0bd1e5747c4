import copy

import pytest
import torch
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from icckd_mm.engine.finite import guarded_step
from icckd_mm.engine.finite.guarded_step import GuardedStep, undone_where

OPTIMIZERS = {
    'sgd': lambda p: torch.optim.SGD(p, lr=0.1),
    'momentum': lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, nesterov=True),
    'momentum, foreach': lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, foreach=True),
    'momentum, fused': lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1, fused=True),
    'adamw': lambda p: torch.optim.AdamW(p, lr=0.1),
    'adam, amsgrad, foreach': lambda p: torch.optim.Adam(p, lr=0.1, amsgrad=True, foreach=True),
    'adamw, fused': lambda p: torch.optim.AdamW(p, lr=0.1, fused=True),
    'rmsprop': lambda p: torch.optim.RMSprop(p, lr=0.1, momentum=0.9),
    'adagrad': lambda p: torch.optim.Adagrad(p, lr=0.1),
}
NAN = float('nan')


def linear():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))


@pytest.mark.parametrize('make', OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize('bad', [{0}, {2, 3}, {0, 1, 4}], ids=str)
def test_steps_undone_on_the_device_are_steps_not_taken(make, bad):
    """Bit for bit, weights and the whole optimizer state; the reference simply leaves the steps out."""
    guarded, plain = linear(), linear()
    optimizers = [make(model.parameters()) for model in (guarded, plain)]
    for step in range(6):
        spoilt = step in bad
        gradients = [torch.randn_like(weight) for weight in plain.parameters()]
        for weight, reference, gradient in zip(guarded.parameters(), plain.parameters(), gradients):
            weight.grad = torch.full_like(weight, NAN) if spoilt else gradient.clone()
            reference.grad = gradient.clone()
        with undone_where(optimizers[0], torch.tensor(spoilt)):
            optimizers[0].step()
        if not spoilt:
            optimizers[1].step()
        assert all(map(torch.equal, guarded.parameters(), plain.parameters()))
    first, second = (optimizer.state_dict()['state'] for optimizer in optimizers)
    for name, entry in second.items():
        assert all(torch.equal(value, first[name][key]) for key, value in entry.items() if value is not None)


def run(wrapper, model, batches, deferred=False):
    """One update a batch; returns the guard."""
    guard = GuardedStep(wrapper, model, deferred)
    for guard.iteration, inputs in enumerate(batches):
        wrapper.update_params(model(inputs).square().mean())
    return guard


@pytest.mark.parametrize('deferred', [False, True])
def test_the_record_names_the_first_bad_iteration_and_counts_updates(deferred):
    model = linear()
    batches = [torch.randn(2, 3) for _ in range(6)]
    batches[2][0, 0], batches[4][0, 0] = NAN, float('inf')
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    guard = run(wrapper, model, batches, deferred)
    fault = guard.read()
    assert (fault.iteration, fault.dropped) == (2, 2)
    assert fault.parameters == ['0.weight', '0.bias', '1.weight', '1.bias']
    assert guard.read() is None
    assert all(weight.isfinite().all() for weight in model.parameters())


@pytest.mark.parametrize('deferred', [False, True])
@pytest.mark.parametrize('clip', [None, dict(max_norm=1.0), dict(type='value', clip_value=1.0)], ids=str)
def test_an_infinite_gradient_is_seen_before_it_is_clipped(deferred, clip):
    """Clipping by value makes a number of an infinity, and by norm NaN of all gradients."""
    model = linear()
    model[1].bias.register_hook(lambda gradient: gradient * float('inf'))
    before = copy.deepcopy(model.state_dict())
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), clip_grad=copy.copy(clip))  # it eats the dict
    guard = run(wrapper, model, [torch.randn(2, 3)], deferred)
    assert guard.read().parameters == ['1.bias']
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize('deferred', [False, True])
def test_a_bad_batch_takes_its_whole_accumulated_update_with_it_and_no_other(deferred):
    torch.manual_seed(1)
    batches = [torch.randn(2, 3) for _ in range(6)]
    models = [linear(), linear()]
    wrappers = [OptimWrapper(torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9), accumulative_counts=2) for m in models]
    for wrapper, inputs in zip(wrappers, ([*batches[:2], *batches[4:]], batches)):
        wrapper.initialize_count_status(models[0], 0, len(inputs))
    for inputs in (*batches[:2], *batches[4:]):
        wrappers[0].update_params(models[0](inputs).square().mean())
    spoilt = [*batches[:2], batches[2] * NAN, *batches[3:]]
    fault = run(wrappers[1], models[1], spoilt, deferred).read()
    assert (fault.iteration, fault.dropped) == (2, 1)
    assert all(map(torch.equal, models[0].parameters(), models[1].parameters()))


def test_detach_gives_the_wrapper_its_methods_back_and_unused_parameters_do_not_count():
    model = linear()
    model.spare = nn.Linear(2, 2)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    guard = GuardedStep(wrapper, model, False)
    wrapper.update_params(model[1](model[0](torch.randn(2, 3))).mean())
    assert guard.read() is None
    guard.detach()
    wrapper.update_params(model[1](model[0](torch.randn(2, 3) * NAN)).mean())
    assert guard.read() is None
    with pytest.raises(ValueError, match='no parameter that needs a gradient'):
        GuardedStep(wrapper, nn.ReLU(), False)


def amp(model, **scaler):
    """An ``AmpOptimWrapper`` on the CPU; its constructor insists on an accelerator, its methods do not."""
    wrapper = AmpOptimWrapper.__new__(AmpOptimWrapper)
    OptimWrapper.__init__(wrapper, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
    wrapper.loss_scaler, wrapper._scale_update_param, wrapper.cast_dtype = torch.amp.GradScaler('cpu', **scaler), None, None
    return wrapper


@pytest.mark.skipif(not hasattr(torch.amp, 'GradScaler'), reason='torch has no GradScaler for the CPU')
@pytest.mark.parametrize('deferred', [False, True])
@pytest.mark.parametrize(
    ('inputs', 'scale', 'fault'),
    [
        (1.0, 2.0**16, False),
        (1.0, 2.0**130, False),  # too large: an overflow, fixed by a smaller scale
        (NAN, 2.0**16, True),
        (float('inf'), 2.0**16, True),
    ],
)
def test_under_amp_the_scaler_leaves_updates_out_and_only_the_loss_is_a_fault(inputs, scale, fault, deferred):
    """Reliability test 13: after an overflow weights are unchanged and the scale is halved."""
    model = linear()
    before = copy.deepcopy(model.state_dict())
    wrapper = amp(model, init_scale=min(scale, 2.0**126))
    if scale > 2.0**126:
        model[0].weight.register_hook(lambda gradient: gradient * 1e9)  # finite but for the scale
    guard = run(wrapper, model, [torch.full((2, 3), inputs)], deferred)
    moved = any(not torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert moved == (inputs == 1.0 and scale == 2.0**16)
    assert (wrapper.loss_scaler.get_scale() < min(scale, 2.0**126)) == (not moved)
    assert (guard.read() is not None) == fault
    assert not wrapper.optimizer.state or moved


@pytest.mark.skipif(not hasattr(torch.amp, 'GradScaler'), reason='torch has no GradScaler for the CPU')
def test_under_amp_a_gradient_that_stays_nan_is_a_fault_once_the_scale_is_used_up():
    model = linear()
    model[0].weight.register_hook(lambda gradient: gradient * NAN)
    wrapper = amp(model, init_scale=8.0)
    fault = run(wrapper, model, [torch.ones(2, 3)] * 5).read()
    assert (fault.iteration, fault.parameters) == (3, ['0.weight'])  # scales 8, 4, 2, then 1


def _two_ranks(deferred, accumulate):
    """Rank 1 has a bad batch at step 2."""
    import torch.distributed as dist

    model = linear()
    parallel = DistributedDataParallel(model)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), accumulative_counts=accumulate)
    wrapper.initialize_count_status(model, 0, 8)
    guard = GuardedStep(wrapper, model, deferred)
    torch.manual_seed(dist.get_rank())
    for guard.iteration in range(8):
        inputs = torch.randn(2, 3)
        if dist.get_rank() == 1 and guard.iteration == 2:
            inputs[0, 0] = NAN
        with wrapper.optim_context(parallel):
            loss = parallel(inputs).square().mean()
        wrapper.update_params(loss)
    fault = guard.read()
    weights = torch.cat([weight.detach().flatten() for weight in model.parameters()])
    return torch.tensor([fault.iteration, fault.dropped]), weights


def test_all_processes_leave_the_same_update_out_though_only_one_has_the_bad_batch(processes):
    for deferred, accumulate in ((False, 1), (True, 1), (False, 2), (True, 2)):
        (fault, weights), (other_fault, other) = processes.run(_two_ranks, deferred, accumulate)
        assert fault.tolist() == other_fault.tolist() == [2, 1]
        assert weights.isfinite().all()
        assert torch.equal(weights, other)


@pytest.mark.parametrize('together', [1, 40, 1 << 24])
@pytest.mark.parametrize('bad', [False, True])
def test_both_ways_to_restore_give_the_same_bits(bad, together, monkeypatch):
    """Types, scalars, empty tensors and memory formats mixed; those on a GPU go together."""
    monkeypatch.setattr(guarded_step, 'TOGETHER', together)
    maps = torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last)
    before = [torch.randn(5, 4), torch.tensor(3.0), torch.randn(7, dtype=torch.float64), maps, torch.empty(0), torch.randn(2)]
    results = []
    for restore in (guarded_step.restore_each, guarded_step.restore_together):
        tensors = [torch.full_like(one, float('nan')) for one in before]
        restore(tensors, before, torch.tensor(bad))
        assert tensors[3].is_contiguous(memory_format=torch.channels_last)
        results.append(tensors)
    for one, other, expected in zip(*results, before):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
        assert torch.equal(other, expected) if bad else other.isnan().all()
