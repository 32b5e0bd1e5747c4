"""What the device computes is what float64 computes on the CPU, and what its loader gives is what the CPU's gives."""

import copy

import pytest
import torch
from mmengine.registry import DefaultScope

from icckd_mm.datasets import DeviceLoader
from icckd_mm.functional import confidence_margin, intra_class_contrastive_loss
from icckd_mm.functional.contrast import queue_products
from icckd_mm.functional.tensor.counter_random import counter_uniform
from icckd_mm.models import ClassQueue
from tests.helpers import pipeline

pytestmark = pytest.mark.gpu
B, C, K, D = 24, 5, 7, 32
CLOSE = dict(rtol=2e-5, atol=2e-6)


def inputs(dtype=torch.float64):
    torch.manual_seed(1)
    unit = torch.nn.functional.normalize
    anchors, queue = unit(torch.randn(B, D, dtype=dtype), dim=1), torch.randn(C, K, D, dtype=dtype)
    return anchors, torch.randint(C, (B,)), queue, torch.tensor([K, 3, 1, 0, K])


def slow(anchors, labels, queue, filled, temperature):
    """The formula, image by image; a class without rows is left out."""
    values = []
    for anchor, label in zip(anchors, labels):
        rows = torch.nn.functional.normalize(queue[label, : filled[label]], dim=1)
        values.append((rows @ anchor / temperature).exp().sum().log())
    return torch.stack(values)


@pytest.mark.parametrize('form', [queue_products.gathered, queue_products.in_chunks])
def test_both_products_for_a_gpu_are_those_of_float64(form, device, monkeypatch):
    monkeypatch.setattr(queue_products, 'CUDA_CHUNK_LIMIT', 5 * K * D * 4)  # 5 anchors at a time
    anchors, labels, queue, filled = inputs()
    some = filled[labels] > 0
    expected = anchors.clone().requires_grad_()
    slow(expected[some], labels[some], queue, filled, 0.1).sum().backward()
    found = anchors.to(device, torch.float32).requires_grad_()
    values = form(found, labels.to(device), queue.to(device, torch.float32), filled.to(device), 0.1)
    values[some.to(device)].sum().backward()
    torch.testing.assert_close(
        values.detach().cpu().double()[some], slow(anchors[some], labels[some], queue, filled, 0.1), **CLOSE
    )
    torch.testing.assert_close(found.grad.cpu().double(), expected.grad, rtol=1e-4, atol=1e-5)
    assert (values.detach().cpu()[~some] < -1e30).all()


def test_the_size_decides_between_them(cuda, monkeypatch):
    used = []
    monkeypatch.setattr(queue_products, 'in_chunks', lambda *args: used.append('in_chunks') or queue_products.gathered(*args))
    anchors, labels, queue, filled = (value.to(cuda) for value in inputs(torch.float32))
    for limit in (1 << 30, 4):
        monkeypatch.setattr(queue_products, 'CUDA_CHUNK_LIMIT', limit)
        queue_products.queue_logsumexp(anchors, labels, queue, filled, 0.1)
    assert used == ['in_chunks']


@pytest.mark.parametrize('dtype', [torch.float32, torch.bfloat16, torch.float16])
def test_the_loss_and_the_margin_are_those_of_float64(dtype, device):
    """Also under autocast, which the loss switches off; the inputs themselves are rounded to the type."""
    anchors, labels, queue, filled = inputs()
    logits = torch.randn(B, C, dtype=torch.float64)
    low = [(3 * value).to(dtype) for value in (anchors, anchors.roll(1, 0))]
    exact = [value.double().requires_grad_() for value in low]
    intra_class_contrastive_loss(*exact, labels, queue=queue, filled=filled).backward()
    there = [value.to(device).requires_grad_() for value in low]
    with torch.autocast(device, torch.bfloat16):
        loss = intra_class_contrastive_loss(*there, labels.to(device), queue=queue.float().to(device), filled=filled.to(device))
        margin = confidence_margin(logits.float().to(device), labels.to(device))
    loss.backward()
    expected = intra_class_contrastive_loss(*exact, labels, queue=queue, filled=filled)
    torch.testing.assert_close(loss.detach().cpu().double(), expected.detach(), rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(margin.cpu().double(), confidence_margin(logits, labels), **CLOSE)
    tolerance = dict(rtol=1e-4, atol=1e-6) if dtype == torch.float32 else dict(rtol=2e-2, atol=1e-4)
    for one, other in zip(there, exact):
        torch.testing.assert_close(one.grad.cpu().double(), other.grad, **tolerance)


def test_the_queue_holds_the_rows_that_the_cpus_holds(device):
    """More rows of a class than slots, rows that are not finite, and several writes."""
    there, here = ClassQueue(C, 3, D).to(device), ClassQueue(C, 3, D)
    for step in range(4):
        torch.manual_seed(step)
        rows, labels = torch.randn(B, D), torch.randint(C, (B,))
        rows[step, 0] = float('nan')
        there.enqueue(rows.to(device), labels.to(device))
        here.enqueue(rows, labels)
    assert torch.equal(there.ptr.cpu(), here.ptr)
    assert torch.equal(there.filled.cpu(), here.filled)
    torch.testing.assert_close(there.queue.cpu(), here.queue, rtol=1e-6, atol=1e-7)


def test_random_numbers_of_an_address_are_the_same_everywhere(device):
    index = torch.arange(1000)
    assert torch.equal(counter_uniform(3, 1, index.to(device), 2).cpu(), counter_uniform(3, 1, index, 2))


def test_the_loader_gives_the_images_of_the_cpu_and_its_labels_are_there(device):
    data = dict(type='icckd_mm.Digits', scale=16, indices=40, pipeline=pipeline(2, 16))
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        here, there = (DeviceLoader(copy.deepcopy(data), 16, seed=5, device=place) for place in ('cpu', device))
    for epoch in range(2):
        for loader in (here, there):
            loader.set_position(epoch)
        for one, other in zip(here, there):
            samples = other['data_samples']
            assert all(torch.equal(first, second.cpu()) for first, second in zip(one['inputs'], other['inputs']))
            assert {samples.labels.device.type, samples.places.device.type, other['inputs'][0].device.type} == {device}
            assert torch.equal(samples.labels, torch.cat([sample.gt_label for sample in samples]))
            assert samples.places.tolist() == [sample.sample_idx for sample in one['data_samples']]
