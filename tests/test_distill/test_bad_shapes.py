"""Losses and connectors name what does not fit, instead of a broadcast or an error of torch."""

import pytest
import torch

from icckd_mm.distill.connectors import OFDMarginConnector
from icckd_mm.distill.losses import ABLoss, CRDLoss, KDSoftCELoss, ReviewKDLoss, VIDLoss
from icckd_mm.distill.optim.dot_sgd import DOTSGD
from icckd_mm.functional.distill.logits.curriculum import curriculum_divergence
from icckd_mm.functional.distill.logits.standardize import standardized_logits
from icckd_mm.functional.distill.logits.subclasses import grouped_logits, subclass_logits
from icckd_mm.functional.geometry import class_geometry

LOGITS, ROWS, WEIGHT, BIAS = torch.zeros(4, 3), torch.zeros(4, 2), torch.zeros(3, 5, 2), torch.zeros(3, 5)
MAP, SMALL = torch.zeros(2, 4, 8, 8), torch.zeros(2, 8, 4, 4)


@pytest.mark.parametrize(
    ('call', 'message'),
    [
        (lambda: subclass_logits(LOGITS, ROWS[:1], WEIGHT, BIAS), 'must be of the same images, got 4 and 1 rows'),
        (lambda: subclass_logits(LOGITS, ROWS, WEIGHT, BIAS[0]), r'must fit, got \(3, 5, 2\) and \(5,\)'),
        (lambda: subclass_logits(LOGITS, ROWS, WEIGHT[0], BIAS), r'must fit, got \(5, 2\) and \(3, 5\)'),
        (lambda: grouped_logits(LOGITS, 0), 'subclasses must be an integer of at least 1, got 0'),
        (lambda: curriculum_divergence(LOGITS, LOGITS, torch.zeros(3), epoch=1), r'theta must be a scalar, got shape \(3,\)'),
        (lambda: VIDLoss(3, 8)(MAP, SMALL), r'VIDLoss has student_channels=3, got a map of shape \(2, 4, 8, 8\)'),
        (lambda: ReviewKDLoss([4, 7], [4, 8])(MAP, MAP, SMALL, SMALL), r'the width 7 for s2, got shape \(2, 8, 4, 4\)'),
        (lambda: ReviewKDLoss([4, 8], [4, 8])(MAP, MAP, SMALL, SMALL[:, :, 0]), r'for t2, got shape \(2, 8, 4\)'),
        (lambda: CRDLoss(neg_num=4.5), 'neg_num must be an integer of at least 1, got 4.5'),
        (lambda: CRDLoss(sample_n=100.5), 'sample_n must be an integer of at least 1, got 100.5'),
        (lambda: OFDMarginConnector('norm')(MAP), 'reads its margins from the teacher of icckd_mm.SafeTeacherDistill'),
        (lambda: ABLoss(margin=-1), 'margin must be a finite number of at least 0, got -1$'),
        (lambda: DOTSGD([torch.zeros(1)], momentum=-0.5), 'got -0.5; 0.9 is the default'),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_integer_logits_are_refused():
    with pytest.raises(TypeError, match='logits must be a floating-point tensor'):
        grouped_logits(LOGITS.long(), 3)


def test_a_large_variance_is_taken_exactly():
    torch.testing.assert_close(VIDLoss(2, 3, initial_variance=1000.0).variances(), torch.full((3,), 1000.0))
    torch.testing.assert_close(VIDLoss(2, 3, initial_variance=0.01).variances(), torch.full((3,), 0.01))


def test_soft_labels_are_constants():
    student, teacher = (torch.randn(2, 3, requires_grad=True) for _ in range(2))
    KDSoftCELoss()(student, teacher).backward()
    assert student.grad is not None
    assert teacher.grad is None


@pytest.mark.parametrize('value', [0.1, 3.3, -1e4, 3e38])
@pytest.mark.parametrize('classes', [2, 7, 100, 21841])
def test_constant_rows_become_zero(value, classes):
    """The mean of equal numbers is not exactly their value."""
    logits = torch.full((1, classes), value, requires_grad=True)
    rows = standardized_logits(logits)
    rows.square().sum().backward()
    assert not rows.any()
    assert not logits.grad.any()


def test_small_differences_are_kept():
    exact = torch.tensor([[1.0, 1.001, 0.999, 1.002]], dtype=torch.float64)
    torch.testing.assert_close(standardized_logits(exact.float()).double(), standardized_logits(exact), rtol=1e-3, atol=1e-3)


def test_features_that_are_not_finite_have_no_geometry():
    found = class_geometry(torch.tensor([[float('nan'), 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]), torch.tensor([0, 0, 1, 1]))
    assert all(value != value for value in found.values())
