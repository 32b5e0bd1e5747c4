"""Half precision, accumulation, compilation and activation checkpointing: the result of plain fp32, each image enqueued once.

Each comparison states its tolerance; fp32 rounding of another order of operations gives 1e-5 or less.
"""

import copy

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.registry import MODELS
from mmpretrain.structures import DataSample

from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.models import IntraClassContrastiveLoss
from icckd_mm.teacher.step import attach
from tests.helpers import CONV, ICC, RESNET, Outputs, build, config, train

BATCH, CLASSES = 16, 10
SAME = dict(rtol=1e-4, atol=1e-5)
LAYER_NORM = dict(
    type='ImageClassifier',
    backbone=dict(
        type='VisionTransformer',
        arch=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32),
        img_size=8,
        patch_size=4,
    ),
    head=dict(type='VisionTransformerClsHead', in_channels=16, num_classes=10),
)


class Enqueued(Hook):
    """How many rows the queue was given in each step (none was full)."""

    def __init__(self):
        self.counts = [0]

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.counts.append(int(runner.model.icc_loss.queue.filled.sum()))

    @property
    def rows(self):
        return [after - before for before, after in zip(self.counts, self.counts[1:])]


def icc(**changes):
    """The hook with room for every image of a test; the loss weighs enough to be seen in the gradient."""
    return dict(ICC, loss=dict(ICC['loss'], queue_size=64, loss_weight=0.5), **changes)


def digits(work_dir, **changes):
    """Options of a run in the same order without chance."""
    loader = config(work_dir).train_dataloader
    loader.update(changes)
    loader['sampler']['shuffle'] = False
    crop = [dict(type='CenterCrop', crop_size=8)]
    loader['dataset']['pipeline'] = [dict(type='MultiView', num_views=2, transforms=[crop]), dict(type='PackInputs')]
    return dict(train_dataloader=loader)


def result(work_dir, model=CONV, second_view='grad', **options):
    """Losses, rows enqueued, weights and queue of a run."""
    outputs, enqueued = Outputs(), Enqueued()
    runner = build(work_dir, model, hooks=[icc(second_view=second_view), outputs, enqueued], **options)
    runner.train()
    weights = {name: value.detach() for name, value in runner.model.named_parameters()}
    return outputs.steps, enqueued.rows, weights, runner.model.icc_loss.queue.queue


def assert_close(found, expected, **tolerance):
    for one, other in zip(found[0], expected[0]):
        assert one == pytest.approx(other, rel=tolerance['rtol'], abs=tolerance['atol'])
    for name, weight in expected[2].items():
        torch.testing.assert_close(found[2][name], weight, msg=lambda text, name=name: f'{name}: {text}', **tolerance)
    torch.testing.assert_close(found[3], expected[3], **tolerance)


@pytest.mark.parametrize(
    ('backend', 'second_view'),
    [('eager', 'grad'), ('aot_eager', 'no_grad'), pytest.param('inductor', 'grad', marks=pytest.mark.slow)],
)
def test_a_compiled_run_is_the_eager_run(backend, second_view, tmp_path):
    """Within 1e-4 relative, 1e-5 absolute after four steps; each image is enqueued once. Guarded, and its file opens safely."""
    torch._dynamo.reset()
    hooks = dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1))
    hooks['finite_guard'] = dict(type='icckd_mm.FiniteGuardHook')
    eager = result(tmp_path / 'eager', second_view=second_view, **digits(tmp_path))
    compiled = result(
        tmp_path / 'compiled', second_view=second_view, compile=dict(backend=backend), default_hooks=hooks, **digits(tmp_path)
    )
    assert compiled[1] == eager[1] == [8] * 4
    assert_close(compiled, eager, **SAME)
    torch.load(tmp_path / 'compiled/epoch_1.pth', weights_only=True)


@pytest.mark.parametrize('second_view', ['grad', 'no_grad'])
def test_activation_checkpointing_gives_the_same_and_enqueues_once(second_view, tmp_path):
    """Layers run twice, the loss and its queue once. Batch norm counts a batch twice in its running statistics (torch does)."""
    plain = result(tmp_path / 'plain', second_view=second_view, **digits(tmp_path))
    again = result(
        tmp_path / 'again',
        second_view=second_view,
        activation_checkpointing=['backbone.layer1', 'backbone.layer2', 'backbone.layer3'],
        **digits(tmp_path),
    )
    assert again[1] == plain[1] == [8] * 4
    assert_close(again, plain, **SAME)


@pytest.mark.parametrize('second_view', ['grad', 'no_grad'])
def test_accumulation_gives_the_sum_of_its_batches_and_enqueues_once(second_view, tmp_path):
    """Two batches of 8 give one update; the reference adds the gradients of the two by hand. No batch norm in this network."""
    options = digits(tmp_path)
    steps, rows, weights, queue = result(
        tmp_path / 'run',
        LAYER_NORM,
        second_view,
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1), accumulative_counts=2),
        **copy.deepcopy(options),
    )
    assert rows == [8] * 4
    runner = build(tmp_path / 'reference', LAYER_NORM, hooks=[icc(second_view=second_view)], **copy.deepcopy(options))
    model = by_hand(runner)
    losses, parameters, held = [], list(model.parameters()), ()
    for index, batch in enumerate(runner.train_dataloader):
        data = model.data_preprocessor(batch, True)
        total, _ = model.parse_losses(model(**data, mode='loss'))
        gradients = torch.autograd.grad(total, parameters, allow_unused=True)
        losses.append(float(total.detach()))
        if index % 2:
            with torch.no_grad():
                for parameter, first, second in zip(parameters, held, gradients):
                    parameter.sub_(0 if first is None else 0.1 * (first + second) / 2)
        held = gradients
    reference = {name: value.detach() for name, value in model.named_parameters()}
    assert losses == pytest.approx([step['loss'] + step['loss_icc'] for step in steps], rel=1e-5)
    assert reference.keys() == weights.keys()
    for name, weight in reference.items():
        torch.testing.assert_close(weights[name], weight, **SAME)
    torch.testing.assert_close(queue, model.icc_loss.queue.queue, **SAME)


def by_hand(runner):
    """The model as it stands before the first step, with its loss attached."""
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner.call_hook('before_run')
    runner._init_model_weights()
    runner.call_hook('before_train')
    return runner.model.train()


def classifier(model, second_view='grad', margin=-1.0):
    """A classifier with its loss, and a batch of two views that holds each class several times."""
    torch.manual_seed(3)
    net = MODELS.build({'_scope_': 'mmpretrain', **copy.deepcopy(dict(model))})
    net.init_weights()
    layers = find_layers(net, torch.zeros(1, 3, 8, 8), None, None)
    net.icc_loss = IntraClassContrastiveLoss(CLASSES, layers.feat_dims, 64, margin=margin, loss_weight=0.5)
    attach(net, layers, second_view, 'first')
    samples = [DataSample().set_gt_label(index % 5) for index in range(BATCH)]
    return net.train(), torch.randn(2 * BATCH, 3, 8, 8), samples


def one_step(net, images, samples, context):
    """Losses and gradients of the third of three batches; two fill the queue."""
    with torch.no_grad():
        for _ in range(2):
            net(images, samples, mode='loss')
    with context:
        losses = net(images, samples, mode='loss')
    total, _ = net.parse_losses(losses)
    net.zero_grad()
    total.backward()
    gradient = torch.cat([weight.grad.flatten() for weight in net.parameters() if weight.grad is not None])
    return {name: value.detach() for name, value in losses.items() if 'loss' in name}, gradient


@pytest.mark.parametrize('model', [RESNET, LAYER_NORM], ids=['resnet', 'vit'])
@pytest.mark.parametrize('second_view', ['grad', 'no_grad'])
def test_autocast_of_the_forward_pass_gives_the_fp32_result(model, second_view):
    """Reliability test 13: bf16 within 2 % in the losses; the gradient points the same way (cosine above 0.98)."""
    runs = []
    for context in (torch.autocast('cpu', enabled=False), torch.autocast('cpu', torch.bfloat16)):
        net, images, samples = classifier(model, second_view)
        runs.append((*one_step(net, images, samples, context), net.icc_loss.queue))
    (losses, gradient, queue), (half, half_gradient, half_queue) = runs
    for name, value in losses.items():
        torch.testing.assert_close(half[name].float(), value, rtol=0.02, atol=0.01)
    assert half['loss_icc'].dtype == torch.float32
    assert torch.cosine_similarity(gradient, half_gradient, dim=0) > 0.98
    assert half_queue.queue.dtype == torch.float32
    assert torch.equal(half_queue.filled, queue.filled)
    assert queue.filled.sum() == 3 * BATCH
    torch.testing.assert_close(half_queue.queue, queue.queue, rtol=0, atol=0.05)
    written = half_queue.queue[torch.arange(64) < half_queue.filled[:, None]]
    torch.testing.assert_close(written.norm(dim=1), torch.ones(3 * BATCH))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
@pytest.mark.parametrize('temperature', [0.01, 0.1])
def test_half_features_give_the_loss_of_the_same_numbers_in_fp32(dtype, temperature):
    """Reliability test 13: logits up to 1/temperature = 100; 1e-5 in the loss, half rounding in the gradient."""
    torch.manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(BATCH, 8)).to(dtype)
    views = (features.float() + 0.01 * torch.randn(BATCH, 8)).to(dtype)
    logits, labels = torch.randn(BATCH, CLASSES).to(dtype), torch.arange(BATCH) % 4
    found = []
    for kind in (torch.float32, dtype):
        loss = IntraClassContrastiveLoss(CLASSES, 8, 64, temperature=temperature, margin=-1.0, loss_weight=1.0)
        inputs = features.to(kind).requires_grad_()
        for _ in range(2):
            value = loss(inputs, views.to(kind), logits.to(kind), labels)
        value.backward()
        found.append((value.detach(), inputs.grad.float(), loss.queue))
    (value, gradient, queue), (half, half_gradient, half_queue) = found
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, value, rtol=1e-5, atol=1e-5)
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(half_gradient, gradient, rtol=2 * eps, atol=2 * eps * float(gradient.abs().max()))
    assert torch.equal(half_queue.filled, queue.filled)
    assert queue.filled.sum() == 2 * BATCH
    assert torch.equal(half_queue.queue, queue.queue)


class DtypeOfFeatures(Hook):
    """The precision of what the last stage gives, by whether the network trains."""

    def before_run(self, runner):
        self.seen = {True: set(), False: set()}
        runner.model.backbone.register_forward_hook(lambda net, _, out: self.seen[net.training].add(out[-1].dtype))


def test_a_bfloat16_run_on_a_cpu_is_near_the_fp32_run(tmp_path):
    """Losses of four steps within 5 %, each image enqueued once; weights and prediction stay in float32."""
    dtypes = DtypeOfFeatures()
    plain = result(tmp_path / 'plain', RESNET, **digits(tmp_path))
    outputs, enqueued = Outputs(), Enqueued()
    wrapper = dict(type='icckd_mm.Bfloat16OptimWrapper', optimizer=dict(type='SGD', lr=0.01, momentum=0.9))
    hooks = [icc(), outputs, enqueued, dtypes]
    runner = build(tmp_path / 'half', RESNET, hooks=hooks, optim_wrapper=wrapper, **digits(tmp_path))
    runner.train()
    runner.model.eval()(torch.zeros(1, 3, 8, 8, device=next(runner.model.parameters()).device))
    assert dtypes.seen == {True: {torch.bfloat16}, False: {torch.float32}}
    assert enqueued.rows == plain[1] == [8] * 4
    for name in ('loss', 'loss_icc'):
        found, expected = ([step[name] for step in steps] for steps in (outputs.steps, plain[0]))
        assert found == pytest.approx(expected, rel=0.05, abs=0.02)
    assert {parameter.dtype for parameter in runner.model.parameters()} == {torch.float32}


@pytest.mark.skipif(not torch.cuda.is_available(), reason='AmpOptimWrapper refuses a machine without an accelerator')
@pytest.mark.parametrize('dtype', ['float16', 'bfloat16'])
def test_amp_on_a_gpu(dtype, tmp_path):
    """Losses of four steps within 5 %, each image enqueued once; the guard of this run is deferred."""
    guard = dict(default_hooks=dict(finite_guard=dict(type='icckd_mm.FiniteGuardHook', interval=2)))
    plain = result(tmp_path / 'plain', **digits(tmp_path))
    amp = dict(type='AmpOptimWrapper', dtype=dtype, optimizer=dict(type='SGD', lr=0.01, momentum=0.9, fused=True))
    half = result(tmp_path / 'half', optim_wrapper=amp, **guard, **digits(tmp_path))
    assert half[1] == plain[1] == [8] * 4
    for one, other in zip(half[0], plain[0]):
        assert one == pytest.approx(other, rel=0.05, abs=0.02)


def test_amp_on_a_cpu_is_refused_by_mmengine(tmp_path):
    if torch.cuda.is_available():
        pytest.skip('there is an accelerator')
    with pytest.raises(AssertionError, match='only available training'):
        train(tmp_path, optim_wrapper=dict(type='AmpOptimWrapper', optimizer=dict(type='SGD', lr=0.01)))
