import math

import pytest
import torch

from icckd_mm.functional.contrast.supervised import supervised_contrastive_loss
from icckd_mm.models.losses import IntraClassContrastiveLoss, SupervisedContrastiveLoss


def transcription(first, second, labels, tau):
    """Khosla et al., Eq. 2, view by view."""
    views = [row / row.norm() for row in (*first, *second)]
    both = [*labels.tolist(), *labels.tolist()]
    losses = []
    for i, view in enumerate(views):
        others = [a for a in range(len(views)) if a != i]
        total = sum(torch.exp(view @ views[a] / tau) for a in others)
        mates = [p for p in others if both[p] == both[i]]
        losses.append(-sum(torch.log(torch.exp(view @ views[p] / tau) / total) for p in mates) / len(mates))
    return sum(losses) / len(losses)


def draw(batch=7):
    views = (torch.randn(batch, 5, dtype=torch.float64, requires_grad=True) for _ in range(2))
    return (*views, torch.arange(batch) % 3)


@pytest.mark.parametrize('batch', [1, 2, 7])
@pytest.mark.parametrize('tau', [0.1, 1.0])
def test_value_and_gradient_equal_the_formula(batch, tau):
    first, second, labels = draw(batch)
    loss, expected = (
        supervised_contrastive_loss(first, second, labels, temperature=tau),
        transcription(first, second, labels, tau),
    )
    torch.testing.assert_close(loss, expected)
    for ours, theirs in zip(torch.autograd.grad(loss, (first, second)), torch.autograd.grad(expected, (first, second))):
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-8)


def test_collapsed_classes_are_the_minimum():
    """Two classes of three images at opposite points: all but the share of mates among mates is lost."""
    labels = torch.arange(6) % 2
    points = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])[labels]
    expected = math.log(5 + 6 * math.exp(-20))
    assert float(supervised_contrastive_loss(points, points, labels)) == pytest.approx(expected, abs=1e-5)
    spread = points + 0.3 * torch.randn(6, 2)
    assert float(supervised_contrastive_loss(spread, spread, labels)) > expected


def test_an_empty_batch_has_a_gradient_path():
    first = torch.zeros(0, 5, requires_grad=True)
    loss = supervised_contrastive_loss(first, torch.zeros(0, 5), torch.zeros(0, dtype=torch.long))
    loss.backward()
    assert loss.detach() == 0


def test_mistakes_are_named():
    first, second, labels = draw()
    with pytest.raises(ValueError, match='temperature must be'):
        supervised_contrastive_loss(first, second, labels, temperature=0)
    with pytest.raises(ValueError, match='got 7 and 6 rows'):
        supervised_contrastive_loss(first, second[:6], labels)
    for name in ('sup_weight', 'sup_temperature'):
        with pytest.raises(ValueError, match=f'{name} must be'):
            SupervisedContrastiveLoss(3, 5, **{name: -1})


@pytest.mark.parametrize('loss_weight', [0.0, 0.3])
def test_the_module_adds_supcon_to_the_intra_class_loss(loss_weight):
    first, second, labels = draw()
    logits = torch.randn(7, 3, dtype=torch.float64)
    settings = dict(queue_size=0, margin=-1.0, temperature=0.5, loss_weight=loss_weight)
    module = SupervisedContrastiveLoss(3, 5, sup_weight=0.7, sup_temperature=0.2, **settings)
    apart = IntraClassContrastiveLoss(3, 5, **settings)(first, second, logits, labels)
    together = transcription(first, second, labels, 0.2)
    torch.testing.assert_close(module(first, second, logits, labels), apart + 0.7 * together)
    assert bool(apart > 0) == (loss_weight > 0)
