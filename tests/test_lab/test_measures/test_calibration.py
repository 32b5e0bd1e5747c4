"""ECE against a loop over images."""

import math

import pytest
import torch

from icckd_mm.lab.measures.calibration import calibration


def slow_ece(logits, labels, bins):
    members = [[] for _ in range(bins)]
    for row, label in zip(logits.double().tolist(), labels.tolist()):
        top = max(row)
        confidence = 1 / sum(math.exp(value - top) for value in row)
        place = next(b for b in range(bins) if confidence <= (b + 1) / bins + 1e-15)
        members[place].append((confidence, row.index(top) == label))
    total = 0.0
    for inside in members:
        if inside:
            gap = abs(sum(c for c, _ in inside) / len(inside) - sum(right for _, right in inside) / len(inside))
            total += len(inside) / len(labels) * gap
    return total, [len(inside) for inside in members]


@pytest.mark.parametrize('bins', [1, 2, 15, 100])
@pytest.mark.parametrize('scale', [0.1, 1.0, 30.0])
def test_ece_equals_a_loop(bins, scale):
    logits, labels = scale * torch.randn(80, 6), torch.randint(0, 6, (80,))
    found = calibration(logits, labels, bins)
    ece, counts = slow_ece(logits, labels, bins)
    assert found.ece == pytest.approx(ece, abs=1e-12)
    assert found.counts.tolist() == counts


def test_closed_forms():
    """Sure and right: 0. Sure and wrong: 1. Unsure among four, a quarter right: 0."""
    sure = 1e4 * torch.eye(4)
    assert calibration(sure, torch.arange(4)).ece == 0
    assert calibration(sure, torch.arange(4).roll(1)).ece == 1
    assert calibration(torch.zeros(4, 4), torch.arange(4)).ece == pytest.approx(0)


@pytest.mark.parametrize(
    ('logits', 'labels', 'bins', 'message'),
    [
        (torch.zeros(2, 3), torch.tensor([0, 3]), 15, r'labels must lie in \[0, 3\)'),
        (torch.zeros(2, 3), torch.tensor([0]), 15, 'labels must have shape'),
        (torch.zeros(2, 3), torch.tensor([0, 1]), 0, 'bins must be at least 1, got 0'),
        (torch.zeros(0, 3), torch.zeros(0).long(), 15, 'at least one image'),
    ],
)
def test_bad_input(logits, labels, bins, message):
    with pytest.raises(ValueError, match=message):
        calibration(logits, labels, bins)
