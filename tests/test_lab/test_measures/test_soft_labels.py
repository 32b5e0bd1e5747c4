"""Statistics by class against numpy, class after class."""

import math

import numpy as np
import pytest
import torch

from icckd_mm.lab.measures.soft_labels import conditional_mutual_information, logit_difference, soft_labels

N, C = 60, 5


def data():
    """Class 3 has one image, class 4 none."""
    labels = torch.randint(0, 3, (N,))
    labels[7] = 3
    return 5 * torch.randn(N, C), labels


@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_mean_deviation_and_spread_equal_numpy(temperature):
    logits, labels = data()
    found = soft_labels(logits, labels, temperature)
    powers = np.exp(logits.double().numpy() / temperature)
    probs = powers / powers.sum(1, keepdims=True)
    for label in range(4):
        own = probs[labels.numpy() == label]
        np.testing.assert_allclose(found.mean[label], own.mean(0), atol=1e-12)
        if len(own) > 1:
            np.testing.assert_allclose(found.deviation[label], own.std(0), atol=1e-12)
            distances = np.linalg.norm(own - own.mean(0), axis=1)
            assert float(found.spread[label]) == pytest.approx(np.sqrt((distances**2).mean()), abs=1e-12)
    assert found.mean[4].isnan().all()
    assert found.spread[3:].isnan().all()  # one image has no spread


def test_difference_is_blind_to_what_a_softmax_does_not_see():
    student, labels = data()
    teacher = torch.randn(N, C)
    found = logit_difference(student, teacher, labels)
    assert torch.allclose(found, logit_difference(student + torch.randn(N, 1), teacher - 3, labels), equal_nan=True, atol=1e-5)
    own = (labels == 1).numpy()
    centred = [rows.double().numpy() - rows.double().numpy().mean(1, keepdims=True) for rows in (student, teacher)]
    np.testing.assert_allclose(found[1], (centred[0] - centred[1])[own].mean(0), atol=1e-12)
    assert found[4].isnan().all()


def test_difference_of_a_network_to_itself_is_zero():
    logits, labels = data()
    assert logit_difference(logits, logits, labels)[:4].abs().max() == 0


def test_bad_input():
    logits, labels = data()
    with pytest.raises(ValueError, match='temperature must be a finite number above 0, got -1'):
        soft_labels(logits, labels, -1)
    with pytest.raises(ValueError, match=r'student has logits \(60, 5\), teacher \(60, 4\)'):
        logit_difference(logits, logits[:, :4], labels)
    with pytest.raises(TypeError, match='labels must be an integer tensor'):
        soft_labels(logits, labels.float())


def test_conditional_mutual_information_equals_loops_and_is_zero_without_variety():
    logits, labels = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)), torch.arange(30) % 3
    probs = [[math.exp(z) / sum(math.exp(other) for other in row) for z in row] for row in logits.double().tolist()]
    total = 0.0
    for row, label in zip(probs, labels.tolist()):
        mates = [other for other, its in zip(probs, labels.tolist()) if its == label]
        mean = [sum(column) / len(mates) for column in zip(*mates)]
        total += sum(p * math.log(p / q) for p, q in zip(row, mean))
    assert conditional_mutual_information(logits, labels) == pytest.approx(total / 30, rel=1e-9)
    assert conditional_mutual_information(logits[labels], labels) == pytest.approx(0, abs=1e-12)
