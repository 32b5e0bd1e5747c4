import math

import pytest
import torch

from icckd_mm.functional import confidence_margin, intra_class_contrastive_loss
from icckd_mm.models import IntraClassContrastiveLoss
from icckd_mm.registry import MODELS
from tests import reference


def draw(batch=16, classes=3, width=5):
    features = torch.randn(batch, width, requires_grad=True)
    positives = torch.randn(batch, width, requires_grad=True)
    logits = (3 * torch.randn(batch, classes)).requires_grad_()
    return features, positives, logits, torch.randint(classes, (batch,))


def test_is_gate_then_loss_then_enqueue():
    """Reliability test 7: the batch must not be its own negative through the queue."""
    module = IntraClassContrastiveLoss(3, 5, queue_size=4, margin=0.2, temperature=0.3, loss_weight=0.5)
    for _ in range(3):
        features, positives, logits, labels = draw()
        queue, filled = module.queue.queue.clone(), module.queue.filled.clone()
        mask = confidence_margin(logits, labels) > 0.2
        expected = 0.5 * intra_class_contrastive_loss(
            features, positives, labels, queue=queue, filled=filled, mask=mask, temperature=0.3
        )
        loss = module(features, positives, logits, labels)
        torch.testing.assert_close(loss, expected)
        assert not torch.equal(module.queue.queue, queue)


def test_all_first_view_features_are_enqueued_gate_or_not():
    module = IntraClassContrastiveLoss(3, 5, queue_size=100, margin=1.0)
    features, positives, logits, labels = draw()
    assert float(module(features, positives, logits, labels).detach()) == 0
    assert torch.equal(module.queue.filled, torch.bincount(labels, minlength=3))


def test_evaluation_does_not_enqueue():
    module = IntraClassContrastiveLoss(3, 5).eval()
    module(*draw())
    assert module.queue.filled.sum() == 0


def test_the_gate_gets_no_gradient_and_is_strict():
    features, positives, logits, labels = draw()
    module = IntraClassContrastiveLoss(3, 5, margin=-1.0)
    loss = module(features, positives, logits, labels)
    assert torch.autograd.grad(loss, logits, allow_unused=True) == (None,)
    at_the_margin = float(confidence_margin(logits, labels)[0].detach())
    module = IntraClassContrastiveLoss(3, 5, margin=at_the_margin)
    module(features[:1], positives[:1], logits[:1], labels[:1])
    assert module.statistics(logits[:1], labels[:1])['icc_pass'] == 0


@pytest.mark.parametrize(
    'change',
    [dict(queue_size=2), dict(temperature=0.5), dict(margin=0.9), dict(in_batch_negatives=False), dict(loss_weight=0.1)],
    ids=str,
)
def test_every_argument_acts(change):
    """Reliability test 5."""
    batches = [draw() for _ in range(3)]

    def last_loss(**options):
        module = IntraClassContrastiveLoss(3, 5, **{'queue_size': 6, 'margin': -1.0, **options})
        return [module(*batch) for batch in batches][-1]

    value, changed = last_loss(), last_loss(**change)
    assert not torch.isclose(value, changed)
    if 'loss_weight' in change:
        torch.testing.assert_close(changed, 5 * value)


def test_state_round_trip_gives_the_same_next_loss_to_the_bit():
    """Reliability test 9."""
    module, batch = IntraClassContrastiveLoss(3, 5), draw()
    module(*draw())
    twin = IntraClassContrastiveLoss(3, 5)
    twin.load_state_dict(module.state_dict())
    assert sorted(module.state_dict()) == ['queue.filled', 'queue.ptr', 'queue.queue']
    assert torch.equal(module(*batch), twin(*batch))


def test_without_a_queue_the_batch_alone_gives_negatives():
    """Value and gradient by the formula; class 2 has one image, which adds 0 but counts in the mean."""
    module = IntraClassContrastiveLoss(3, 5, queue_size=0, margin=-1.0, temperature=0.3, loss_weight=1.0).double()
    labels = torch.tensor([0, 1, 0, 1, 1, 2])
    for _ in range(2):  # nothing is left of the first step
        features, positives = (torch.randn(6, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
        loss = module(features, positives, torch.randn(6, 3, dtype=torch.float64), labels)
        terms = reference.intra_class(features, positives, labels, tau=0.3)
        assert float(terms[5].detach()) == 0
        torch.testing.assert_close(loss, sum(terms) / 6)
        found, expected = (torch.autograd.grad(value, (features, positives)) for value in (loss, sum(terms) / 6))
        torch.testing.assert_close(found, expected)
        assert not any(gradient[5].any() for gradient in found)
    assert not module.queue.filled.any()


def test_without_a_queue_everything_else_works():
    """State dict, compilation without graph break, and what is logged: never NaN of an empty queue."""
    module, batch = IntraClassContrastiveLoss(3, 5, queue_size=0, margin=-1.0), draw()
    twin = IntraClassContrastiveLoss(3, 5, queue_size=0, margin=-1.0)
    twin.load_state_dict(module.state_dict())
    torch.testing.assert_close(torch.compile(module, fullgraph=True, backend='aot_eager')(*batch), twin(*batch))
    assert module.statistics(batch[2], batch[3]) == {'icc_pass': 1.0}
    with pytest.raises(ValueError, match=r'\(C, K, D\) = \(3, 32, 5\), the model \(3, 0, 5\)'):
        module.load_state_dict(IntraClassContrastiveLoss(3, 5).state_dict())
    with pytest.raises(ValueError, match='from 3 to 3'):
        module(*batch[:3], torch.full((16,), 3))


def test_has_no_parameters_and_is_registered():
    loss = MODELS.build(dict(type='icckd_mm.IntraClassContrastiveLoss', num_classes=3, feat_dims=5))
    assert isinstance(loss, IntraClassContrastiveLoss)
    assert not list(loss.parameters())


def test_statistics_are_those_of_queue_and_gate():
    module = IntraClassContrastiveLoss(2, 2, queue_size=4, margin=0.0)
    features = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    labels, logits = torch.tensor([0, 0, 1, 1]), torch.tensor([[1.0, 0.0]] * 4)
    module(features, features, logits, labels)
    statistics = module.statistics(logits, labels)
    assert statistics == pytest.approx(
        {'icc_pass': 0.5, 'icc_intra_cos': 1.0, 'icc_inter_cos': 0.0, 'icc_ratio': 0.0, 'icc_fill': 0.5}, abs=1e-6
    )


def test_a_step_compiles_without_graph_break_and_enqueues_once():
    """Reliability test 20: no wait for the device, which would break the graph."""
    module, twin, batch = IntraClassContrastiveLoss(3, 5), IntraClassContrastiveLoss(3, 5), draw()
    compiled = torch.compile(module, fullgraph=True, backend='aot_eager')
    for _ in range(2):
        torch.testing.assert_close(compiled(*batch), twin(*batch))
    assert torch.equal(module.queue.filled, twin.queue.filled)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_features(dtype):
    features, positives, logits, labels = draw()
    module, twin = IntraClassContrastiveLoss(3, 5, margin=-1.0), IntraClassContrastiveLoss(3, 5, margin=-1.0)
    for _ in range(2):
        loss = module(features.to(dtype), positives.to(dtype), logits.to(dtype), labels)
        expected = twin(features.to(dtype).float(), positives.to(dtype).float(), logits.to(dtype).float(), labels)
    torch.testing.assert_close(loss, expected)
    loss.backward()


def test_an_empty_batch_is_zero_and_enqueues_nothing():
    module = IntraClassContrastiveLoss(3, 5)
    loss = module(*(tensor[:0] for tensor in draw()))
    assert float(loss.detach()) == 0
    assert loss.requires_grad
    assert module.queue.filled.sum() == 0


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(temperature=0.0), 'temperature .* got 0.0'),
        (dict(temperature=math.nan), 'temperature .* got nan'),
        (dict(temperature='warm'), 'temperature'),
        (dict(queue_size=-1), 'queue_size.* at least 0, got -1'),
        (dict(queue_size=0, in_batch_negatives=False), 'leave no negatives.* set in_batch_negatives=True'),
        (dict(margin=1.5), r'margin must lie in \[-1, 1\], got 1.5'),
        (dict(margin=math.nan), 'margin'),
        (dict(loss_weight=-0.1), 'loss_weight .* got -0.1'),
        (dict(loss_weight=math.inf), 'loss_weight'),
        (dict(num_classes=0), 'num_classes'),
        (dict(feat_dims=-1), 'feat_dims'),
    ],
    ids=str,
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        IntraClassContrastiveLoss(**{'num_classes': 3, 'feat_dims': 5, **options})


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('features', torch.zeros(16, 6), 'features has width 6, but 5'),
        ('features', torch.zeros(16, 5, 2, 2), 'features must be 2-D'),
        ('positives', torch.zeros(16, 6), 'width 6'),
        ('positives', torch.zeros(15, 5), '16 and 15 rows'),
        ('logits', torch.zeros(16, 4), 'logits have 4 classes, the loss was built with num_classes=3'),
        ('logits', torch.zeros(15, 3), r'shape \(15,\)'),
        ('labels', torch.full((16,), 3), 'from 3 to 3'),
        ('labels', torch.zeros(15, dtype=torch.long), r'shape \(16,\)'),
    ],
)
def test_bad_tensors_are_named_before_anything_is_enqueued(name, value, message):
    """Reliability test 17."""
    module = IntraClassContrastiveLoss(3, 5)
    given = dict(zip(('features', 'positives', 'logits', 'labels'), draw()))
    with pytest.raises(ValueError, match=message):
        module(**{**given, name: value})
    assert module.queue.filled.sum() == 0


@pytest.mark.parametrize('limit', [0, 1 << 40])
def test_a_step_never_waits_for_the_device(limit, monkeypatch):
    """Tensors on the meta device have no values: .item(), nonzero or boolean indexing would raise. Both CUDA variants."""
    monkeypatch.setattr('icckd_mm.functional.contrast.queue_products.CUDA_CHUNK_LIMIT', limit)
    module = IntraClassContrastiveLoss(3, 5, queue_size=4).to('meta')
    features, positives, logits, labels = (tensor.detach().to('meta') for tensor in draw())
    loss = module(features.requires_grad_(), positives, logits, labels)
    loss.backward()
    assert features.grad.shape == features.shape
