"""What every backbone promises."""

import pytest
import torch
from mmpretrain.registry import MODELS
from torch import nn


def test_shape_at_every_stage(case, images):
    outs = case.build(out_indices=tuple(range(case.stages))).eval()(images)
    assert [tuple(out.shape) for out in outs] == [(4, c, s, s) for c, s in zip(case.channels, case.sizes)]


def test_out_indices_select_stages_and_the_last_is_the_default(case, images):
    every = case.build(out_indices=tuple(range(case.stages))).eval()(images)
    (last,) = case.build().eval()(images)
    first, second = case.build(out_indices=[0, 1]).eval()(images)
    torch.testing.assert_close(last, every[-1], rtol=0, atol=0)
    torch.testing.assert_close(first, every[0], rtol=0, atol=0)
    torch.testing.assert_close(second, every[1], rtol=0, atol=0)


def test_bad_stages_are_named(case):
    for bad in ((case.stages,), (-1,), ()):
        with pytest.raises(ValueError, match=f'out_indices=.* from 0 to {case.stages - 1}'):
            case.build(out_indices=bad)
    with pytest.raises(TypeError, match='out_indices=2 must be a tuple'):
        case.build(out_indices=2)
    for bad in (-2, case.stages + 1):
        with pytest.raises(ValueError, match=f'frozen_stages={bad} must lie between -1 .* and {case.stages}'):
            case.build(frozen_stages=bad)


def stage_of(case, name):
    """0 for the stem, the number of the stage otherwise; by the names alone."""
    if name.startswith('layer'):
        return int(name[5])
    closing = name.startswith('conv2.') or (case.type == 'CIFARWideResNet' and name.startswith('bn1.'))
    return case.stages if closing else 0


@pytest.mark.parametrize('frozen', [-1, 0, 1, 2])
def test_frozen_stages_neither_learn_nor_count(case, images, frozen):
    model = case.build(frozen_stages=frozen)
    locked = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert locked == {name for name, _ in model.named_parameters() if stage_of(case, name) <= frozen}
    assert bool(locked) == (frozen > 0 or (frozen == 0 and case.type != 'CIFARVGG'))

    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert model.train() is model
    sum(out.square().mean() for out in model(images)).backward()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter += 1.0
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == (stage_of(case, name) <= frozen), name


def test_everything_can_be_frozen(case):
    model = case.build(frozen_stages=case.stages).train()
    assert not any(p.requires_grad for p in model.parameters())
    assert not any(m.training for m in model.modules() if isinstance(m, nn.BatchNorm2d))


def test_norm_eval_keeps_the_statistics_but_learns_the_weights(case, images):
    for norm_eval in (True, False):
        model = case.build(norm_eval=norm_eval).train()
        before = {name: value.clone() for name, value in model.named_buffers()}
        model(images)
        same = [torch.equal(value, before[name]) for name, value in model.named_buffers()]
        assert all(same) if norm_eval else not any(same)
        assert all(p.requires_grad for p in model.parameters())


def test_a_training_step_reaches_every_parameter(case, images):
    model = case.build().train()
    out = model(images)[-1].mean(dim=(2, 3))
    (out * torch.randn_like(out)).sum().backward()
    silent = [
        name for name, p in model.named_parameters() if p.grad is None or not torch.isfinite(p.grad).all() or not p.grad.any()
    ]
    # A bias before batch norm cannot have a gradient, but for rounding.
    assert [name for name in silent if not (case.type == 'CIFARVGG' and name.endswith('bias'))] == []


def test_state_dict_round_trip(case, images):
    first, second = case.build().train(), case.build().eval()
    first(images)
    with torch.no_grad():
        for parameter in first.parameters():
            parameter.mul_(1.1)
    second.load_state_dict(first.state_dict(), strict=True)
    torch.testing.assert_close(second(images)[0], first.eval()(images)[0], rtol=0, atol=0)


def test_channels_last_gives_the_same(case, images):
    results = []
    for memory_format in (torch.contiguous_format, torch.channels_last):
        model = case.build().double().train().to(memory_format=memory_format)
        out = model(images.double().to(memory_format=memory_format))[0]
        out.square().sum().backward()
        results.append([out, *(p.grad for p in model.parameters())])
    scale = max(grad.abs().max().item() for grad in results[0])
    for plain, last in zip(*results):
        torch.testing.assert_close(last, plain, rtol=1e-8, atol=1e-11 * scale)


def record(model, images):
    """A name: the calls, each with the output and a copy of it made at once."""
    calls = {name: [] for name, module in model.named_modules() if not list(module.children())}
    handles = [
        model.get_submodule(name).register_forward_hook(lambda _, __, out, name=name: calls[name].append((out, out.clone())))
        for name in calls
    ]
    model(images)
    for handle in handles:
        handle.remove()
    return calls


def test_a_recorder_sees_what_the_module_gave(case, images):
    calls = record(case.build().train(), images)
    assert [name for name, seen in calls.items() if len(seen) != 1] == []  # one that is shared would be called twice
    assert [name for name, ((out, copy),) in calls.items() if not torch.equal(out, copy)] == []  # changed in place later


def test_preact_names_features_before_the_relu(case, images):
    model = case.build(out_indices=tuple(range(case.stages))).eval()
    outs = []
    handle = model.register_forward_hook(lambda _, __, out: outs.extend(out))
    calls = record(model, images)
    handle.remove()
    assert len(model.preact) == case.stages
    for name, out in zip(model.preact, outs):
        ((seen, _),) = calls[name]
        assert seen.min() < 0, name
        assert seen.shape[2:] == out.shape[2:] or case.type == 'CIFARWideResNet', name


def test_config_resolves_from_mmpretrain(case):
    model = MODELS.build({'_scope_': 'mmpretrain', 'type': f'icckd_mm.{case.type}', **case.args, 'out_indices': [0]})
    assert type(model).__name__ == case.type
    assert model.out_indices == (0,)


@pytest.mark.parametrize('name', ['resnet8', 'wrn_16_2', 'vgg11', 'mobilenet_v2', 'shufflenet_v1', 'shufflenet_v2'])
def test_compiles_without_a_graph_break(name, images):
    from .conftest import CASES

    model = CASES[name].build(out_indices=(0, 2)).eval()
    compiled = torch.compile(model, backend='aot_eager', fullgraph=True)
    for out, wanted in zip(compiled(images), model(images)):
        torch.testing.assert_close(out, wanted, rtol=1e-4, atol=1e-5)
