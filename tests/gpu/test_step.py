"""A single step on the device: the host does not wait in our part, a bad update is undone there, memory is bounded."""

import copy
from contextlib import contextmanager

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.structures import DataSample

from icckd_mm.datasets import DeviceLoader
from icckd_mm.distill.losses import AngleWiseRKD, CRDLoss, DistanceWiseRKD
from icckd_mm.distill.teacher_cache import TeacherCache
from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.engine.finite.guarded_step import GuardedStep
from icckd_mm.functional.contrast import queue_products
from icckd_mm.models import IntraClassContrastiveLoss
from icckd_mm.structures import PreparedSamples
from icckd_mm.teacher.second_views import SECOND_VIEWS
from icckd_mm.teacher.step import attach
from tests.helpers import CONV, pipeline

pytestmark = pytest.mark.gpu
ROWS, MIB = 8, 1 << 20


@contextmanager
def never_waits():
    """CUDA's own check: an operation that makes the host wait is an error."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode('error')
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode('default')


def samples(device, prepared):
    labels = torch.arange(ROWS, device=device) % 3
    found = [DataSample(metainfo=dict(sample_idx=i)).set_gt_label(one) for i, one in enumerate(labels.split(1))]
    return PreparedSamples(found, torch.arange(ROWS, device=device), labels, ROWS) if prepared else found


def classifier(device, second_view=None):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(copy.deepcopy(CONV)).to(device).train()
    if second_view is None:
        return model, torch.randn(ROWS, 3, 8, 8, device=device)
    layers = find_layers(model, torch.randn(1, 3, 8, 8, device=device), None, None)
    model.icc_loss = IntraClassContrastiveLoss(layers.num_classes, layers.feat_dims, queue_size=4, margin=-1.0).to(device)
    attach(model, layers, second_view, 'first', num_images=ROWS)
    return model, torch.randn(SECOND_VIEWS[second_view].loader_views * ROWS, 3, 8, 8, device=device)


def test_the_check_of_cuda_sees_what_waits(cuda):
    """So that the tests below can fail."""
    with pytest.raises(RuntimeError), never_waits():
        torch.ones(2, device=cuda).sum().item()


@pytest.mark.parametrize('fused', [False, True])
@pytest.mark.parametrize('prepared', [False, True])
@pytest.mark.parametrize('second_view', SECOND_VIEWS)
def test_a_guarded_step_of_a_teacher_never_waits(second_view, prepared, fused, cuda):
    """Forward and backward pass, queue, deferred guard and update; the first step may set things up."""
    model, images = classifier(cuda, second_view)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, fused=fused))
    guard, given = GuardedStep(wrapper, model, deferred=True), samples(cuda, prepared)

    def step():
        losses = model(images, given, mode='loss')
        wrapper.update_params(losses['loss'] + losses['loss_icc'])

    step()
    with never_waits():
        step()
    assert guard.read() is None


@pytest.mark.parametrize('prepared', [False, True])
def test_crd_and_rkd_never_wait(prepared, cuda):
    crd = CRDLoss(neg_num=16, sample_n=ROWS, dim_out=4).to(cuda)
    student, teacher = (torch.randn(ROWS, 4, device=cuda, requires_grad=True) for _ in range(2))
    given = samples(cuda, prepared)

    def step():
        total = crd(student, teacher, given) + AngleWiseRKD()(student, teacher) + DistanceWiseRKD()(student, teacher)
        total.backward()

    step()
    with never_waits():
        step()


def test_collected_logits_stay_on_the_device_until_the_view_is_closed(cuda, tmp_path):
    cache = TeacherCache(tmp_path, {}, num_images=ROWS, num_classes=3, dtype='float32')
    logits = torch.randn(ROWS, 3, device=cuda)
    cache.open(0)
    with never_waits():
        cache.write(range(ROWS), logits)
    cache.close(keep=True)
    cache.open(0)
    assert torch.equal(cache.read(range(ROWS)), logits.cpu())


def test_the_device_loader_waits_at_the_beginning_of_an_epoch_at_most(cuda):
    data = dict(type='icckd_mm.Digits', scale=16, indices=40, pipeline=pipeline(2, 16))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        batches = iter(DeviceLoader(data, 8, device=cuda))
    next(batches)
    with never_waits():
        assert len(list(batches)) == 4


@pytest.mark.parametrize('fused', [False, True])
@pytest.mark.parametrize('kind', [torch.optim.SGD, torch.optim.AdamW])
def test_a_bad_update_is_undone_on_the_device(kind, fused, device):
    """Weights and optimizer keep their bits, the next good step counts, and the parameters are named."""
    if device == 'cpu' and (fused or kind is torch.optim.AdamW):
        pytest.skip('counters of AdamW are on the device only there')
    model, images = classifier(device)
    more = dict(momentum=0.9) if kind is torch.optim.SGD else {}
    options = dict(fused=True) if fused else dict(capturable=True) if kind is torch.optim.AdamW else {}
    wrapper = OptimWrapper(kind(model.parameters(), lr=0.05, **more, **options))
    guard, given = GuardedStep(wrapper, model, deferred=True), samples(device, True)

    def step(factor):
        guard.iteration += 1
        wrapper.update_params(model(images, given, mode='loss')['loss'] * factor)

    def everything():
        kept = [value for state in wrapper.optimizer.state.values() for value in state.values() if torch.is_tensor(value)]
        return [value.clone() for value in (*model.parameters(), *kept)]

    step(1.0)
    before = everything()
    step(float('nan'))
    assert all(torch.equal(one, other) for one, other in zip(before, everything()))
    step(1.0)
    assert not all(torch.equal(one, other) for one, other in zip(before, everything()))
    fault = guard.read()
    assert (fault.iteration, fault.dropped) == (2, 1)
    assert fault.parameters


def test_the_chunks_bound_the_memory_of_a_large_queue(cuda):
    """The gathered block would take 512 MiB; a few times the bound is the most that chunks may take."""
    anchors = torch.nn.functional.normalize(torch.randn(4096, 256, device=cuda), dim=1).requires_grad_()
    queue, labels = torch.randn(100, 128, 256, device=cuda), torch.randint(100, (4096,), device=cuda)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    queue_products.queue_logsumexp(anchors, labels, queue, None, 0.1).sum().backward()
    peak = torch.cuda.max_memory_allocated() - before
    assert peak < 6 * queue_products.CUDA_CHUNK_LIMIT, f'{peak / MIB:.0f} MiB'


@pytest.mark.parametrize('second_view', SECOND_VIEWS)
def test_a_step_leaves_no_memory_behind(second_view, cuda):
    model, images = classifier(cuda, second_view)
    given, held = samples(cuda, True), []
    for _ in range(4):
        losses = model(images, given, mode='loss')
        (losses['loss'] + losses['loss_icc']).backward()
        model.zero_grad()
        del losses
        torch.cuda.synchronize()
        held.append(torch.cuda.memory_allocated())
    assert held[1] == held[2] == held[3]
