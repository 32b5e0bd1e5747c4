"""Between two log steps the host never waits for the device in our part of a training step. Needs no GPU."""

import copy

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS, DefaultScope
from mmpretrain.structures import DataSample
from torch._subclasses.fake_tensor import DataDependentOutputException, DynamicOutputShapeException

from benchmarks.runs import student_run
from icckd_mm.distill.teacher_cache import TeacherCache
from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.engine.finite.guarded_step import GuardedStep, undone_where
from icckd_mm.functional.contrast import queue_products
from icckd_mm.models import IntraClassContrastiveLoss
from icckd_mm.structures import PreparedSamples, places_of
from icckd_mm.teacher.second_views import SECOND_VIEWS
from icckd_mm.teacher.step import attach
from tests.fake_gpu import HostWaitsError, fake_gpu, never_waits, on_gpu, reads_of_the_host
from tests.helpers import CONV

ROWS = 6
WAITS = (DataDependentOutputException, DynamicOutputShapeException, HostWaitsError)
PAIR = 'resnet20_resnet8_1xb64_digits'
STUDENTS = [
    'kd_logits', 'icckd-kd-rkd_logits-neck', 'icckd-kd-crd_logits-neck', 'icckd-dkd_logits', 'icckd-kd-at_backbone',
    'icckd-kd-cwd_backbone', 'ckd_logits', 'pckd_logits-neck', 'ms_backbone',
]  # fmt: skip


def samples(labels, kind):
    """Data samples as torch's loader gives them, or as DeviceLoader does."""
    found = [DataSample(metainfo=dict(sample_idx=i)).set_gt_label(one) for i, one in enumerate(labels.split(1))]
    return PreparedSamples(found, torch.arange(len(found), device=labels.device), labels, len(found)) if kind else found


def built(config):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(copy.deepcopy(config)).train()


@pytest.mark.parametrize(
    'waits',
    [
        lambda x: x.sum().item(),
        lambda x: float(x.sum()),
        lambda x: x[x > 0],
        lambda x: x.unique(),
        lambda x: x.tolist(),
        lambda x: x.cpu(),
        lambda x: torch.tensor([1.0, 2.0], device=x.device) + x,
        lambda x: bool((x > 0).all()),
    ],
)
def test_what_waits_is_seen(waits):
    """So that the tests below can fail."""
    with fake_gpu() as mode:
        x = on_gpu(mode, torch.ones(2))
        with pytest.raises(WAITS), never_waits():
            waits(x)


@pytest.mark.parametrize('prepared', [False, True])
@pytest.mark.parametrize('second_view', SECOND_VIEWS)
def test_a_teachers_step_never_waits(second_view, prepared):
    model = built(CONV)
    layers = find_layers(model, torch.randn(1, 3, 8, 8), None, None)
    model.icc_loss = IntraClassContrastiveLoss(layers.num_classes, layers.feat_dims, queue_size=4)
    step = attach(model, layers, second_view, 'first', num_images=ROWS)
    with fake_gpu() as mode:
        on_gpu(mode, model)
        step.weight = on_gpu(mode, step.weight)
        images = on_gpu(mode, torch.randn(SECOND_VIEWS[second_view].loader_views * ROWS, 3, 8, 8))
        labels = on_gpu(mode, torch.arange(ROWS) % 3)
        with never_waits():
            losses = model(images, samples(labels, prepared), mode='loss')
    assert losses['loss_icc'].device.type == losses['icc_pass'].device.type == 'cuda'


def test_its_statistics_do_wait_and_so_belong_to_log_steps():
    loss = IntraClassContrastiveLoss(3, 8, queue_size=4)
    with fake_gpu() as mode:
        on_gpu(mode, loss)
        with pytest.raises(WAITS), never_waits():
            loss.queue_statistics()


@pytest.mark.parametrize('form', [queue_products.gathered, queue_products.in_chunks])
def test_both_products_for_a_gpu_never_wait(form, monkeypatch):
    """And the choice is made from shapes alone."""
    monkeypatch.setattr(queue_products, 'CUDA_CHUNK_LIMIT', 2 * 4 * 8 * 4)
    with fake_gpu() as mode:
        anchors, queue = on_gpu(mode, torch.randn(ROWS, 8)), on_gpu(mode, torch.randn(3, 4, 8))
        labels, filled = on_gpu(mode, torch.arange(ROWS) % 3), on_gpu(mode, torch.full((3,), 4))
        with never_waits():
            for run in (form, queue_products.queue_logsumexp):
                assert run(anchors, labels, queue, filled, 0.1).shape == (ROWS,)


@pytest.mark.parametrize(
    ('name', 'prepared'), [*((name, False) for name in STUDENTS), *((name, True) for name in STUDENTS[:3])]
)
def test_a_students_step_never_waits(name, prepared):
    """Forward pass and losses of both networks; what mmrazor itself computes is on this way too."""
    model = built(student_run(f'{name}_{PAIR}', 64).model)
    per_image = 4 if name.startswith('pckd') else 1  # rotations
    with fake_gpu() as mode:
        on_gpu(mode, model)
        record_parameters_again(model)
        labels = on_gpu(mode, (torch.arange(8) % 3).repeat_interleave(per_image)[:8])
        images = on_gpu(mode, torch.randn(8, 3, 16, 16))
        with never_waits():
            losses = model(images, samples(labels, prepared), mode='loss')
    assert any(name.startswith('distill.') for name in losses)


def record_parameters_again(model):
    """Recorders hold the parameters themselves; here those on the GPU are others."""
    for recorders, network in (
        (model.distiller.student_recorders, model.student),
        (model.distiller.teacher_recorders, model.teacher),
    ):
        for recorder in recorders.recorders.values():
            if type(recorder).__name__ == 'ParameterRecorder':
                recorder.data_buffer.clear()
                recorder.prepare_from_model(network)


def test_logits_are_collected_without_waiting_for_each_batch(tmp_path):
    cache = TeacherCache(tmp_path, {}, num_images=ROWS, num_classes=2)
    cache.open(0)
    with fake_gpu() as mode:
        logits = on_gpu(mode, torch.ones(3, 2))
        with never_waits():
            for first in (0, 3):
                cache.write(range(first, first + 3), logits)
            with pytest.raises(WAITS):
                cache.close(keep=True)  # at the end of the epoch


@pytest.mark.parametrize('skips', [False, True])
def test_the_deferred_guard_reads_nothing_between_two_looks(skips):
    """A real step on the CPU: backward pass, check, update, with a finite and with a NaN loss."""
    model = built(CONV)
    wrapper = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
    guard = GuardedStep(wrapper, model, deferred=True)
    images, labels = torch.randn(ROWS, 3, 8, 8), samples(torch.arange(ROWS) % 3, True)

    def step():
        loss = model(images, labels, mode='loss')['loss']
        wrapper.update_params(loss * float('nan') if skips else loss)

    assert reads_of_the_host(step) == []
    assert reads_of_the_host(guard.read)  # a look does, so that this test can fail


def test_an_update_is_undone_on_a_gpu_without_waiting():
    with fake_gpu() as mode:
        weights = [torch.nn.Parameter(on_gpu(mode, torch.randn(shape))) for shape in ((3, 4), (5,), ())]
        bad, optimizer = on_gpu(mode, torch.tensor(True)), torch.optim.SGD(weights, lr=0.1, momentum=0.9)
        for weight in weights:
            weight.grad = torch.ones_like(weight)
        with never_waits():
            for _ in range(2):  # the first makes the momentum
                with undone_where(optimizer, bad):
                    optimizer.step()


def test_places_come_with_the_batch_or_are_made_from_the_samples():
    labels = torch.arange(4)
    given = samples(labels, True)
    assert places_of(given, labels.device) is given.places
    assert torch.equal(places_of(list(given), labels.device), given.places)
    assert places_of([DataSample().set_gt_label(0)], labels.device).tolist() == [-1]
