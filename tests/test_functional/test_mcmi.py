import math

import pytest
import torch

from icckd_mm.functional import class_mean_predictions, mcmi_loss


def softmax(row):
    return row.exp() / row.exp().sum()


def transcription(logits, labels, means, weight):
    losses = []
    for row, label in zip(logits, labels.tolist()):
        probs = softmax(row)
        divergence = sum(p * (p.log() - q.log()) for p, q in zip(probs, means[label])) if means[label].sum() > 0 else 0
        losses.append(-probs[label].log() - weight * divergence)
    return losses


def draw(batch=7, classes=4, dtype=torch.float64):
    means = torch.rand(classes, classes, dtype=dtype) + 0.1
    return torch.randn(batch, classes, dtype=dtype, requires_grad=True), torch.randint(classes, (batch,)), means / means.sum(1)


@pytest.mark.parametrize('weight', [0.0, 0.25, 1.0])
def test_value_and_gradient_equal_the_formula(weight):
    """The formula: CE - weight * KL to the mean prediction of the class; a class without a mean has cross-entropy alone."""
    logits, labels, means = draw()
    means[labels[0]] = 0
    terms = transcription(logits, labels, means, weight)
    torch.testing.assert_close(mcmi_loss(logits, labels, means, kl_weight=weight, reduction='none'), torch.stack(terms))
    for reduction, expected in (('mean', sum(terms) / 7), ('sum', sum(terms))):
        loss = mcmi_loss(logits, labels, means, kl_weight=weight, reduction=reduction)
        torch.testing.assert_close(loss, expected)
        ours, theirs = (torch.autograd.grad(value, logits, retain_graph=True)[0] for value in (loss, expected))
        torch.testing.assert_close(ours, theirs)


def test_closed_forms():
    """One image of each class is its own mean: cross-entropy alone. A sure prediction is log C away from a uniform mean."""
    logits = torch.randn(3, 3)
    labels = torch.tensor([0, 1, 2])
    expected = torch.nn.functional.cross_entropy(logits, labels)
    torch.testing.assert_close(mcmi_loss(logits, labels, class_mean_predictions(logits, labels)), expected)
    sure = torch.tensor([[100.0, 0.0, 0.0, 0.0]])
    loss = mcmi_loss(sure, torch.tensor([0]), torch.full((4, 4), 0.25))
    assert float(loss) == pytest.approx(-0.25 * math.log(4))


def test_the_divergence_is_rewarded():
    logits, labels, means = draw()
    assert mcmi_loss(logits, labels, means) < mcmi_loss(logits, labels, means, kl_weight=0.0)


def test_gradcheck_and_no_gradient_for_the_means():
    logits, labels, means = draw()
    assert torch.autograd.gradcheck(lambda z: mcmi_loss(z, labels, means), (logits,))
    means.requires_grad_()
    assert torch.autograd.grad(mcmi_loss(logits, labels, means), means, allow_unused=True) == (None,)


def test_class_means_are_means():
    logits, labels, _ = draw(9)
    means = class_mean_predictions(logits, labels)
    for c in range(4):
        mine = [softmax(row) for row, label in zip(logits.detach(), labels.tolist()) if label == c]
        torch.testing.assert_close(means[c], sum(mine) / len(mine) if mine else torch.zeros(4, dtype=torch.float64))
    assert not means.requires_grad


def test_limits_are_finite():
    loss = mcmi_loss(torch.zeros(0, 3, requires_grad=True), torch.zeros(0, dtype=torch.long), torch.ones(3, 3))
    assert float(loss.detach()) == 0
    assert loss.requires_grad
    far = torch.tensor([[0.0, 500.0]], requires_grad=True)
    loss = mcmi_loss(far, torch.tensor([0]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert torch.isfinite(loss)
    assert torch.isfinite(torch.autograd.grad(loss, far)[0]).all()


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype):
    logits, labels, means = draw(dtype=torch.float32)
    half = logits.detach().to(dtype)
    expected = mcmi_loss(half.float(), labels, means)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(mcmi_loss(half, labels, means), expected)


BAD = {
    'weight': (dict(kl_weight=-1.0), ValueError, 'kl_weight .* got -1.0; 0.25 is the default'),
    'reduction': (dict(reduction='max'), ValueError, "'max'"),
    'labels': (dict(labels=torch.tensor([0, 3])), ValueError, r'\[0, 3\)'),
    'mixed labels': (dict(labels=torch.zeros(2, 3)), TypeError, 'soft or mixed labels'),
    'means': (dict(class_means=torch.zeros(3, 4)), ValueError, r'class_means must have shape \(3, 3\), got \(3, 4\)'),
    'integers': (dict(logits=torch.zeros(2, 3, dtype=torch.long)), TypeError, 'logits must be a floating'),
    'device': (dict(class_means=torch.zeros(3, 3, device='meta')), ValueError, 'class_means on meta'),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_input_is_named(case):
    changes, error, message = BAD[case]
    given = {'logits': torch.zeros(2, 3), 'labels': torch.tensor([0, 1]), 'class_means': torch.zeros(3, 3), **changes}
    with pytest.raises(error, match=message):
        mcmi_loss(**given)
