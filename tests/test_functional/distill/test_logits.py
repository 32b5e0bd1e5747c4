"""Pure functions of the losses between logits, against slow transcriptions."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch.nn import functional as F

from icckd_mm.functional import (
    batch_correlation,
    center_distances,
    class_correlation,
    class_distances,
    consistency_weights,
    linear_cka,
    multi_level_loss,
    region_logits,
    standardized_logits,
    transport_costs,
    wasserstein_divergence,
)
from icckd_mm.functional.distill.logits.curriculum import reversal


def test_standardised_rows_have_mean_0_and_unbiased_deviation_1():
    logits = torch.randn(5, 7).double() * 3 + 2
    rows = standardized_logits(logits)
    expected = [
        [(z - sum(row) / 7) / math.sqrt(sum((x - sum(row) / 7) ** 2 for x in row) / 6) for z in row] for row in logits.tolist()
    ]
    torch.testing.assert_close(rows, torch.tensor(expected).double(), rtol=0, atol=1e-6)


def test_a_constant_row_has_a_zero_gradient():
    logits = torch.tensor([[3.0, 3.0, 3.0], [1.0, 2.0, 4.0]], requires_grad=True)
    (standardized_logits(logits) * torch.tensor([1.0, 2.0, 3.0])).sum().backward()
    assert not logits.grad[0].any()
    assert logits.grad[1].any()
    with pytest.raises(ValueError, match='at least 2 classes'):
        standardized_logits(torch.ones(2, 1))


@pytest.mark.parametrize('side', [2, 4, 7, 8])
def test_regions_classified_are_the_classified_regions(side):
    """Features averaged before the classifier, as published, give the same as logits averaged after it."""
    maps, weight, bias = torch.randn(3, 6, side, side).double(), torch.randn(5, 6).double(), torch.randn(5).double()
    fine = F.adaptive_avg_pool2d(maps, 4)
    pooled = torch.cat([F.adaptive_avg_pool2d(fine, grid).flatten(2) for grid in (1, 2, 4)], dim=2).transpose(1, 2)
    torch.testing.assert_close(region_logits(maps, weight, bias), pooled @ weight.T + bias)


def test_a_region_counts_twice_where_the_teacher_disagrees_with_itself():
    logits, labels = torch.randn(4, 21, 3).double(), torch.tensor([0, 1, 2, 0])
    weights = consistency_weights(logits, labels)
    for i, label in enumerate(labels.tolist()):
        whole = logits[i, 5:].mean(0).argmax() == label
        for r in range(21):
            assert weights[i, r] == (2 if (logits[i, r].argmax() == label) != whole else 1)
    with pytest.raises(ValueError, match=r'regions of grids \(1, 2\), got \(4, 21, 3\)'):
        consistency_weights(logits, labels, grids=(1, 2))


def test_regions_refuse_what_does_not_fit():
    maps, weight, bias = torch.randn(3, 6, 4, 4), torch.randn(5, 6), torch.randn(5)
    with pytest.raises(ValueError, match='weight has width 6, but 4 is needed'):
        region_logits(maps[:, :4], weight, bias)
    with pytest.raises(ValueError, match=r'bias must have shape \(5,\), got \(4,\)'):
        region_logits(maps, weight, bias[:4])
    with pytest.raises(ValueError, match='must be a map'):
        region_logits(maps.flatten(1), weight, bias)


def transported(student, teacher, label, costs, temperature, iterations, regularization=0.05):
    """The published form: costs without the true class's row and column, one image at a time."""
    others = [c for c in range(len(costs)) if c != label]
    costs = costs[others][:, others]
    source, goal = ((x[others] / temperature).softmax(0) for x in (student, teacher))
    kernel = (-costs / regularization).exp()
    u = torch.full_like(source, 1 / len(others))
    for _ in range(iterations):
        v = goal / (kernel.T @ u + 1e-8)
        u = source / (kernel @ v + 1e-8)
    plan = u[:, None] * kernel * v[None]
    return plan, (plan * costs).sum()


@pytest.mark.parametrize('iterations', [1, 10, 100])
def test_no_image_needs_costs_of_its_own(iterations):
    """Zero mass of the true class gives value and gradient of the smaller matrix."""
    student, teacher = torch.randn(6, 8).double().requires_grad_(), 3 * torch.randn(6, 8).double()
    labels = torch.randint(8, (6,))
    costs = transport_costs(center_distances(torch.randn(8, 4).double()))
    found = wasserstein_divergence(student, teacher, labels, costs, temperature=2.0, iterations=iterations, reduction='none')
    expected = torch.stack([transported(student[i], teacher[i], labels[i], costs, 2.0, iterations)[1] for i in range(6)])
    torch.testing.assert_close(found, expected, rtol=1e-7, atol=1e-9)
    gradients = [torch.autograd.grad(value.sum(), student)[0] for value in (found, expected)]
    torch.testing.assert_close(*gradients, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(('cost', 'ten', 'exact'), [(0.63, 0.0028, 0.126), (0.33, 0.0595, 0.066)])
def test_sinkhorn_converges_to_the_distance_of_two_classes(cost, ten, exact):
    """Mass 0.2 goes from one class to the other; ten iterations, as published, are far from it where the cost is high."""
    student, teacher = (torch.tensor([[0.0, math.log(p), math.log(1 - p)]]).double() for p in (0.7, 0.5))
    costs = torch.full((3, 3), cost).double().fill_diagonal_(1e-8)
    few, many, more = (
        wasserstein_divergence(student, teacher, torch.tensor([0]), costs, temperature=1.0, iterations=count).item()
        for count in (10, 100, 1000)
    )
    assert few == pytest.approx(ten, rel=0.07)
    assert many == pytest.approx(exact, rel=1e-3)
    assert more == pytest.approx(many, rel=1e-5)


def test_sinkhorn_converges_to_the_exact_distance():
    """The optimum of the linear program, up to the blur that regularisation causes."""
    student, teacher, label = torch.randn(5).double(), torch.randn(5).double(), 1
    costs = 0.3 * center_distances(torch.rand(5, 3).double())
    others = [0, 2, 3, 4]
    source, goal = ((x[others]).softmax(0).numpy() for x in (student, teacher))
    rows, columns = np.kron(np.eye(4), np.ones(4)), np.kron(np.ones(4), np.eye(4))
    among = costs[others][:, others].numpy()
    exact = linprog(among.ravel(), A_eq=np.vstack([rows, columns]), b_eq=np.concatenate([source, goal])).fun
    options = dict(temperature=1.0, iterations=2000)
    given = (student[None], teacher[None], torch.tensor([label]), costs)
    sharp, soft = (wasserstein_divergence(*given, **options, regularization=r).item() for r in (0.005, 0.02))
    assert exact > 0.001
    assert sharp == pytest.approx(exact, rel=0.05)
    assert soft > sharp


def test_transport_needs_little_memory():
    """64 images of 1,000 classes: a matrix per image would be 256 MB."""
    largest = []

    class Sizes(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor):
                largest.append(result.numel())
            return result

    logits, labels = torch.randn(64, 1000), torch.randint(1000, (64,))
    costs = transport_costs(center_distances(torch.randn(1000, 8)))
    with Sizes():
        wasserstein_divergence(logits, logits, labels, costs, iterations=2)
    assert max(largest) <= 1000 * 1000
    with pytest.raises(ValueError, match=r'costs must have shape \(1000, 1000\)'):
        wasserstein_divergence(logits, logits, labels, costs[:5, :5])


def test_alignment_of_a_rotated_and_scaled_class_is_perfect():
    x = torch.randn(20, 4).double()
    rotation = torch.linalg.qr(torch.randn(4, 4).double())[0]
    assert linear_cka(x, 3 * x @ rotation + 5).item() == pytest.approx(1)
    assert linear_cka(x, torch.ones(20, 2).double()) == 0
    pair = torch.tensor([[0, 1], [1, 0], [2, 2]]).double(), torch.tensor([[1, 0], [0, 3], [1, 1]]).double()
    assert linear_cka(*pair).item() == pytest.approx(0.36)
    features = [x, x[:, :2], torch.randn(20, 3).double()]
    distances = class_distances(features)
    assert torch.equal(distances, distances.T)
    assert not distances.diagonal().any()
    for a in range(3):
        for b in range(3):
            assert distances[a, b].item() == pytest.approx(1 - linear_cka(features[a], features[b]).item(), abs=1e-12)
    with pytest.raises(ValueError, match=r'got \[19, 20\]; cut them to the smallest class'):
        class_distances([x, x[1:]])


def test_correlations_are_sums_over_pairs():
    student, teacher = torch.randn(4, 3).double(), torch.randn(4, 3).double()
    p, q = ((x / 2).softmax(1) for x in (teacher, student))
    classes = sum(
        (sum(p[i, a] * p[i, b] for i in range(4)) - sum(q[i, a] * q[i, b] for i in range(4))) ** 2
        for a in range(3)
        for b in range(3)
    )
    images = sum(((p[i] * p[j]).sum() - (q[i] * q[j]).sum()) ** 2 for i in range(4) for j in range(4))
    torch.testing.assert_close(class_correlation(student, teacher, temperature=2.0), classes / 3)
    torch.testing.assert_close(batch_correlation(student, teacher, temperature=2.0), images / 4)


def test_correlations_have_their_published_values():
    student, teacher = torch.tensor([[2, 1, 0], [0, 1, 3]]).double(), torch.tensor([[3, 1, -1], [1, 0, 4]]).double()
    assert class_correlation(student, teacher).item() == pytest.approx(0.00692038, abs=1e-8)
    assert batch_correlation(student, teacher).item() == pytest.approx(0.00169610, abs=1e-8)


def test_multi_level_logits_use_the_views_as_the_published_code_does():
    """Term by term, with weak and strong views that differ."""
    student, teacher = torch.randn(8, 5).double(), 2 * torch.randn(8, 5).double()
    weak, strong = (student[:4], teacher[:4]), (student[4:], teacher[4:])

    def kl(pair, tau):
        own, soft = ((x / tau).log_softmax(1) for x in pair)
        return tau**2 * F.kl_div(own, soft, reduction='batchmean', log_target=True)

    m = 0.5  # an even number of images, and 3 of 5 classes
    expected = sum(m * kl(weak, tau) for tau in (4, 3, 5, 2, 6)) + sum(kl(strong, tau) for tau in (4, 3, 5))
    expected = expected + sum(kl(weak, tau) for tau in (2, 6))
    expected = expected + sum(
        0.6 * class_correlation(*weak, temperature=tau) + m * batch_correlation(*weak, temperature=tau)
        for tau in (4, 3, 5, 2, 6)
    )
    torch.testing.assert_close(multi_level_loss(student, teacher), expected)
    with pytest.raises(ValueError, match='two views of each image are needed, got 7 rows'):
        multi_level_loss(student[1:], teacher[1:])


def test_the_curriculum_is_a_half_cosine():
    assert [reversal(epoch, ramp=5) for epoch in (1, 5, 6)] == pytest.approx([-0.0954915, -1, -1])
