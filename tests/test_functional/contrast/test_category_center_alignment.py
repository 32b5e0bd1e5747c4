import pytest
import torch

from icckd_mm.functional import center_alignment_loss, feature_alignment_loss
from tests import reference


def rows(*shape, grad=False):
    return torch.randn(*shape, dtype=torch.float64, requires_grad=grad)


def test_feature_alignment_equals_the_formula():
    """The formula: 2 - 2 mean cos, and no gradient for the teacher."""
    student, teacher = rows(7, 4, grad=True), rows(7, 4, grad=True)
    terms = [2 - 2 * (reference.unit(s) * reference.unit(t.detach())).sum() for s, t in zip(student, teacher)]
    torch.testing.assert_close(feature_alignment_loss(student, teacher, reduction='none'), torch.stack(terms))
    for reduction, expected in (('mean', sum(terms) / 7), ('sum', sum(terms))):
        loss = feature_alignment_loss(student, teacher, reduction=reduction)
        torch.testing.assert_close(loss, expected)
        ours, theirs = (torch.autograd.grad(value, student, retain_graph=True)[0] for value in (loss, expected))
        torch.testing.assert_close(ours, theirs)
        assert torch.autograd.grad(loss, teacher, allow_unused=True) == (None,)
    assert torch.autograd.gradcheck(lambda s: feature_alignment_loss(s, teacher.detach()), (student,))


def test_feature_alignment_runs_from_0_to_4():
    student = rows(3, 4)
    assert float(feature_alignment_loss(student, 5 * student)) == pytest.approx(0)
    assert float(feature_alignment_loss(student, -student)) == pytest.approx(4)
    assert float(feature_alignment_loss(torch.zeros(3, 4), torch.ones(3, 4))) == 2
    assert float(feature_alignment_loss(torch.zeros(0, 4), torch.zeros(0, 4))) == 0


def test_center_alignment_equals_the_formula():
    """The formula: the squared norm of [W|b] differences over C (D + 1)."""
    weight, bias, teacher_weight, teacher_bias = rows(3, 4, grad=True), rows(3, grad=True), rows(3, 4), rows(3)
    total = sum((weight[c, d] - teacher_weight[c, d]) ** 2 for c in range(3) for d in range(4))
    total = total + sum((bias[c] - teacher_bias[c]) ** 2 for c in range(3))
    loss = center_alignment_loss(weight, bias, teacher_weight, teacher_bias)
    torch.testing.assert_close(loss, total / (3 * 5))
    ours, theirs = (torch.autograd.grad(value, (weight, bias)) for value in (loss, total / 15))
    torch.testing.assert_close(ours, theirs)
    teacher = [teacher_weight.requires_grad_(), teacher_bias.requires_grad_()]
    loss = center_alignment_loss(weight, bias, *teacher)
    assert torch.autograd.grad(loss, teacher, allow_unused=True) == (None, None)
    assert torch.autograd.gradcheck(lambda w, b: center_alignment_loss(w, b, *(x.detach() for x in teacher)), (weight, bias))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype):
    student, teacher = torch.randn(4, 3).to(dtype), torch.randn(4, 3).to(dtype)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        features = feature_alignment_loss(student, teacher)
        centers = center_alignment_loss(student, student[:, 0], teacher, teacher[:, 0])
    torch.testing.assert_close(features, feature_alignment_loss(student.float(), teacher.float()))
    pairs = [x.float() for x in (student, student[:, 0], teacher, teacher[:, 0])]
    torch.testing.assert_close(centers, center_alignment_loss(*pairs))


def test_bad_input_is_named():
    ones, bias = torch.ones(3, 4), torch.ones(3)
    with pytest.raises(ValueError, match=r'\(3, 4\) and \(3, 5\); where the feature widths differ, leave this loss out'):
        center_alignment_loss(ones, bias, torch.ones(3, 5), bias)
    with pytest.raises(ValueError, match=r'teacher_bias must have shape \(3,\), got \(4,\)'):
        center_alignment_loss(ones, bias, ones, torch.ones(4))
    with pytest.raises(TypeError, match='student_centers must be a floating-point'):
        center_alignment_loss(ones.long(), bias, ones, bias)
    with pytest.raises(ValueError, match='one shape'):
        feature_alignment_loss(ones, torch.ones(3, 5))
    with pytest.raises(TypeError, match='teacher_features'):
        feature_alignment_loss(ones, ones.long())
    with pytest.raises(ValueError, match="'max'"):
        feature_alignment_loss(ones, ones, reduction='max')
