import itertools
import math

import pytest
import torch

from icckd_mm.functional import intra_class_contrastive_loss
from icckd_mm.functional.contrast import queue_products
from tests import reference

FORMS = {'gathered': queue_products.gathered, 'by_class': queue_products.by_class, 'in_chunks': queue_products.in_chunks}


@pytest.fixture(params=FORMS)
def form(request, monkeypatch):
    """Each variant of the products, independent of the shapes; chunks of two anchors, so that there are several."""
    monkeypatch.setattr('icckd_mm.functional.contrast.intra_class.queue_logsumexp', FORMS[request.param])
    monkeypatch.setattr(queue_products, 'CUDA_CHUNK_LIMIT', 2 * 3 * 5 * 4)
    return request.param


def draw(batch, classes, slots, width=5, dtype=torch.float64):
    anchors = torch.randn(batch, width, dtype=dtype, requires_grad=True)
    positives = torch.randn(batch, width, dtype=dtype, requires_grad=True)
    labels = torch.randint(classes, (batch,))
    queue = torch.randn(classes, slots, width, dtype=dtype)
    filled = torch.randint(slots + 1, (classes,))
    return anchors, positives, labels, queue, filled


def gradients(loss, *tensors):
    return [
        g if g is not None else torch.zeros_like(t)
        for g, t in zip(torch.autograd.grad(loss, tensors, allow_unused=True), tensors)
    ]


# every combination for the default variant; the others differ only in the queue, and the transcription is slow
CASES = [('gathered', *sizes) for sizes in itertools.product([1, 2, 7, 64], [1, 3, 32], [1, 2, 10, 1000])]
CASES += [(name, *sizes) for name in ('by_class', 'in_chunks') for sizes in itertools.product([2, 7, 64], [1, 3], [1, 10])]


@pytest.mark.parametrize(('form', 'batch', 'slots', 'classes'), CASES, indirect=['form'])
def test_value_and_gradient_equal_the_formula(form, batch, slots, classes):
    """Reliability test 1: per-sample float64 transcription, partly filled queues, every variant of the products."""
    anchors, positives, labels, queue, filled = draw(batch, classes, slots)
    mask = torch.rand(batch) < 0.6
    loss = intra_class_contrastive_loss(anchors, positives, labels, queue=queue, filled=filled, mask=mask, temperature=0.3)
    terms = reference.intra_class(anchors, positives, labels, queue, filled, tau=0.3)
    chosen = [term for term, keep in zip(terms, mask.tolist()) if keep]
    expected = sum(chosen) / len(chosen) if chosen else sum(terms) * 0
    torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-9)
    for ours, theirs in zip(gradients(loss, anchors, positives), gradients(expected, anchors, positives)):
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize('batch', [2, 7])
def test_a_pool_equals_the_formula_and_never_holds_the_anchor(batch):
    anchors, positives, labels, _, _ = draw(batch, 2, 1)
    others = torch.randn(3, 5, dtype=torch.float64, requires_grad=True)
    pool, pool_labels = torch.cat([others, anchors]), torch.cat([torch.tensor([0, 1, 0]), labels])
    loss = intra_class_contrastive_loss(anchors, positives, labels, negatives=pool, negative_labels=pool_labels, offset=3)
    expected = sum(reference.intra_class(anchors, positives, labels, pool=pool, pool_labels=pool_labels, offset=3)) / batch
    torch.testing.assert_close(loss, expected)
    for ours, theirs in zip(gradients(loss, anchors, others), gradients(expected, anchors, others)):
        torch.testing.assert_close(ours, theirs)


def test_gradcheck(form):
    """Reliability test 3: with respect to anchors, positives and pool; the queue gets none."""
    anchors, positives, labels, queue, filled = draw(4, 2, 3)
    pool = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)

    def loss(a, p, n):
        return intra_class_contrastive_loss(
            a,
            p,
            labels,
            queue=queue,
            filled=filled,
            negatives=n,
            negative_labels=torch.tensor([0, 1, 0, 1, 0, 1]),
            temperature=0.5,
        )

    assert torch.autograd.gradcheck(loss, (anchors, positives, pool))
    queue.requires_grad_()
    assert torch.autograd.grad(loss(anchors, positives, pool), queue, allow_unused=True) == (None,)


def test_closed_forms(form):
    """Reliability test 2: equal features give log(1 + N); orthogonal negatives log(1 + N e^(-1/tau))."""
    ones = torch.ones(1, 4)
    zero = torch.tensor([0])
    equal = intra_class_contrastive_loss(ones, ones, zero, queue=torch.ones(1, 32, 4))
    assert float(equal) == pytest.approx(3.4965, abs=1e-4)
    basis = torch.eye(33)
    for tau, value in ((0.1, 0.00145), (0.5, 1.6735)):
        loss = intra_class_contrastive_loss(basis[:1], basis[:1], zero, queue=basis[None, 1:], temperature=tau)
        assert float(loss) == pytest.approx(value, abs=1e-4)
        assert float(loss) == pytest.approx(math.log(1 + 32 * math.exp(-1 / tau)), rel=1e-4)


def test_an_anchor_without_negatives_counts_as_zero(form):
    """Reliability test 8: unfilled queue, class never seen; finite, exact zero, no NaN in backward."""
    anchors, positives, _, queue, _ = draw(3, 4, 3)
    loss = intra_class_contrastive_loss(
        anchors, positives, torch.tensor([0, 1, 2]), queue=queue, filled=torch.zeros(4, dtype=torch.long), reduction='none'
    )
    assert loss.tolist() == [0.0, 0.0, 0.0]
    for gradient in gradients(loss.sum(), anchors, positives):
        assert gradient.abs().max() == 0
    some = intra_class_contrastive_loss(anchors, positives, torch.tensor([0, 0, 2]))
    pair = intra_class_contrastive_loss(anchors[:2], positives[:2], torch.tensor([0, 0]))
    assert float(some.detach()) == pytest.approx(float(pair.detach()) * 2 / 3)


def test_nothing_selected_and_an_empty_batch_give_zero_with_a_gradient_path():
    anchors, positives, labels, queue, filled = draw(4, 2, 3)
    none = torch.zeros(4, dtype=torch.bool)
    for reduction in ('mean', 'sum'):
        loss = intra_class_contrastive_loss(anchors, positives, labels, queue=queue, mask=none, reduction=reduction)
        assert loss.item() == 0
        assert gradients(loss, anchors)[0].abs().max() == 0
    anchors, positives, labels, queue, filled = draw(0, 2, 3)
    loss = intra_class_contrastive_loss(anchors, positives, labels, queue=queue, filled=filled)
    assert loss.item() == 0
    assert loss.requires_grad
    loss.backward()
    assert intra_class_contrastive_loss(anchors, positives, labels, reduction='none').shape == (0,)


def test_reductions_belong_together():
    anchors, positives, labels, queue, _ = draw(7, 2, 3)
    mask = torch.tensor([1, 0, 1, 1, 0, 0, 1], dtype=torch.bool)
    each, total, mean = (
        intra_class_contrastive_loss(anchors, positives, labels, queue=queue, mask=mask, reduction=name)
        for name in ('none', 'sum', 'mean')
    )
    assert each[~mask].abs().max() == 0
    torch.testing.assert_close(each.sum(), total)
    torch.testing.assert_close(total / 4, mean)


def test_invariances(form):
    """Reliability test 4: order of batch and slots, scale of raw features, names and slots of other classes."""
    anchors, positives, labels, queue, filled = draw(6, 3, 4)
    labels[labels == 2] = 1
    filled.fill_(4)

    def loss(a, p, y, q):
        return intra_class_contrastive_loss(a, p, y, queue=q, filled=filled)

    value = loss(anchors, positives, labels, queue)
    order = torch.randperm(6)
    torch.testing.assert_close(loss(anchors[order], positives[order], labels[order], queue), value)
    torch.testing.assert_close(loss(anchors, positives, labels, queue[:, torch.randperm(4)]), value)
    torch.testing.assert_close(loss(1e3 * anchors, 1e-3 * positives, labels, 7 * queue), value)
    swapped = torch.tensor([1, 0, 2])
    torch.testing.assert_close(loss(anchors, positives, swapped[labels], queue[swapped]), value)
    changed = queue.clone()
    changed[2] = torch.randn(4, 5)
    assert torch.equal(loss(anchors, positives, labels, changed), value)


def test_unfilled_slots_never_act(form):
    anchors, positives, labels, queue, filled = draw(5, 2, 4)
    filled = torch.tensor([2, 3])
    value = intra_class_contrastive_loss(anchors, positives, labels, queue=queue, filled=filled)
    queue[0, 2:], queue[1, 3:] = torch.nan, torch.inf
    assert torch.equal(intra_class_contrastive_loss(anchors, positives, labels, queue=queue, filled=filled), value)


def test_every_option_acts():
    """Reliability test 5."""
    anchors, positives, labels, queue, _ = draw(8, 2, 3)
    base = intra_class_contrastive_loss(anchors, positives, labels, queue=queue)
    variants = {
        'temperature': dict(temperature=0.5),
        'in_batch_negatives': dict(in_batch_negatives=False),
        'filled': dict(filled=torch.ones(2, dtype=torch.long)),
        'mask': dict(mask=torch.arange(8) < 3),
        'reduction': dict(reduction='sum'),
    }
    for options in variants.values():
        assert not torch.isclose(intra_class_contrastive_loss(anchors, positives, labels, queue=queue, **options), base)


def test_a_zero_vector_gives_a_finite_loss_and_no_gradient(form):
    anchors, positives, labels, queue, _ = draw(4, 1, 3, dtype=torch.float32)
    with torch.no_grad():
        anchors[1] = 0
        positives[2] = 0
    loss = intra_class_contrastive_loss(anchors, positives, labels, queue=queue)
    first, second = gradients(loss, anchors, positives)
    assert torch.isfinite(loss)
    assert first[1].abs().max() == 0
    assert second[2].abs().max() == 0
    assert first.abs().max() < 1e3


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(form, dtype):
    """Reliability test 13: finite and equal to fp32 although a cosine over tau reaches 100."""
    anchors, positives, labels, queue, _ = draw(8, 2, 3, dtype=torch.float32)
    halves = [x.detach().to(dtype) for x in (anchors, positives)]
    expected = intra_class_contrastive_loss(*(x.float() for x in halves), labels, queue=queue, temperature=0.01)
    loss = intra_class_contrastive_loss(*halves, labels, queue=queue, temperature=0.01)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, expected)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        inside = intra_class_contrastive_loss(*halves, labels, queue=queue, temperature=0.01)
    torch.testing.assert_close(inside, expected)


def test_the_form_is_chosen_by_device_and_shape(monkeypatch):
    """Sorted by class above 32 MB gathered on a CPU, never inside torch.compile, which could not trace the class counts."""
    anchors, queue = torch.zeros(2, 4), torch.zeros(1, 2, 4)
    labels, calls = torch.zeros(2, dtype=torch.long), []
    for name in FORMS:
        monkeypatch.setattr(queue_products, name, lambda *_, name=name: calls.append(name))
    for limit in (2 * 2 * 4 * 4, 2 * 2 * 4 * 4 - 1):
        monkeypatch.setattr(queue_products, 'CPU_GATHER_LIMIT', limit)
        queue_products.queue_logsumexp(anchors, labels, queue, None, 0.1)
    monkeypatch.setattr(torch.compiler, 'is_compiling', lambda: True)
    queue_products.queue_logsumexp(anchors, labels, queue, None, 0.1)
    for limit in (2 * 2 * 4 * 4, 2 * 2 * 4 * 4 - 1):
        monkeypatch.setattr(queue_products, 'CUDA_CHUNK_LIMIT', limit)
        queue_products.queue_logsumexp(anchors.to('meta'), labels, queue, None, 0.1)
    assert calls == ['gathered', 'by_class', 'gathered', 'gathered', 'in_chunks']


def test_the_queue_may_change_between_forward_and_backward(form):
    anchors, positives, labels, queue, filled = draw(5, 2, 3)
    loss = intra_class_contrastive_loss(anchors, positives, labels, queue=queue, filled=filled)
    (expected,) = torch.autograd.grad(loss, anchors, retain_graph=True)
    queue.normal_()
    torch.testing.assert_close(torch.autograd.grad(loss, anchors)[0], expected)


def test_compiles_without_graph_break():
    anchors, positives, labels, queue, filled = draw(8, 2, 3, dtype=torch.float32)

    def loss(a, p, y, q, f):
        return intra_class_contrastive_loss(a, p, y, queue=q, filled=f)

    compiled = torch.compile(loss, fullgraph=True, backend='aot_eager')
    ours, eager = compiled(anchors, positives, labels, queue, filled), loss(anchors, positives, labels, queue, filled)
    torch.testing.assert_close(ours, eager)
    torch.testing.assert_close(gradients(ours, anchors)[0], gradients(eager, anchors)[0])


BAD = {
    'temperature 0': (dict(temperature=0), ValueError, 'temperature must be a finite number above 0, got 0'),
    'temperature -1': (dict(temperature=-1.0), ValueError, 'got -1.0'),
    'temperature nan': (dict(temperature=math.nan), ValueError, 'got nan'),
    'reduction': (dict(reduction='max'), ValueError, "mean, sum, none, got 'max'"),
    'width': (dict(positives=torch.zeros(4, 6)), ValueError, 'width 6, but 5'),
    'rows': (dict(positives=torch.zeros(3, 5)), ValueError, '4 and 3 rows'),
    '4-D': (dict(anchors=torch.zeros(4, 5, 1, 1)), ValueError, 'flatten'),
    '1-D': (dict(anchors=torch.zeros(4)), ValueError, '2-D'),
    'integer features': (dict(anchors=torch.zeros(4, 5, dtype=torch.long)), TypeError, 'floating-point'),
    'label too big': (dict(labels=torch.tensor([0, 1, 2, 3])), ValueError, 'from 0 to 3'),
    'label negative': (dict(labels=torch.tensor([0, 1, -1, 0])), ValueError, 'from -1'),
    'float labels': (dict(labels=torch.zeros(4)), TypeError, 'integer'),
    'bool labels': (dict(labels=torch.zeros(4, dtype=torch.bool)), TypeError, 'integer'),
    'label count': (dict(labels=torch.tensor([0, 1])), ValueError, r'shape \(4,\)'),
    'queue width': (dict(queue=torch.zeros(2, 3, 6)), ValueError, r'\(C, K, 5\), got \(2, 3, 6\)'),
    'queue 2-D': (dict(queue=torch.zeros(2, 5)), ValueError, 'queue must have shape'),
    'integer queue': (dict(queue=torch.zeros(2, 3, 5, dtype=torch.long)), TypeError, 'queue must be a floating-point'),
    'float filled': (dict(filled=torch.zeros(2)), TypeError, 'filled must be integers'),
    'filled': (dict(filled=torch.zeros(3, dtype=torch.long)), ValueError, 'filled'),
    'filled without queue': (dict(queue=None, filled=torch.zeros(2, dtype=torch.long)), ValueError, 'filled'),
    'mask dtype': (dict(mask=torch.ones(4)), ValueError, 'mask must be boolean'),
    'mask shape': (dict(mask=torch.ones(3, dtype=torch.bool)), ValueError, 'mask must be boolean'),
    'pool without labels': (dict(negatives=torch.zeros(4, 5)), ValueError, 'go together'),
    'pool unused': (
        dict(negatives=torch.zeros(4, 5), negative_labels=torch.zeros(4, dtype=torch.long), in_batch_negatives=False),
        ValueError,
        'would ignore them',
    ),
    'offset': (
        dict(negatives=torch.zeros(4, 5), negative_labels=torch.zeros(4, dtype=torch.long), offset=1),
        ValueError,
        'offset 1',
    ),
    'device': (dict(positives=torch.zeros(4, 5, device='meta')), ValueError, 'positives on meta'),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_input_is_named(case):
    """Reliability test 17."""
    changes, error, message = BAD[case]
    given = dict(
        anchors=torch.randn(4, 5), positives=torch.randn(4, 5), labels=torch.tensor([0, 1, 0, 1]), queue=torch.zeros(2, 3, 5)
    )
    given.update(changes)
    with pytest.raises(error, match=message):
        intra_class_contrastive_loss(given.pop('anchors'), given.pop('positives'), given.pop('labels'), **given)
