import math

import pytest
import torch

from icckd_mm.functional import sample_wise_contrastive_loss
from tests import reference


def transcription(student, teacher, tau):
    """CKD, sample by sample: the teacher's sample against every student sample of the batch."""
    losses = []
    for i in range(len(teacher)):
        cosines = [(reference.unit(teacher[i]) * reference.unit(row)).sum() / tau for row in student]
        losses.append(sum(c.exp() for c in cosines).log() - cosines[i])
    return losses


def draw(batch=7, classes=5, dtype=torch.float64):
    return torch.randn(batch, classes, dtype=dtype, requires_grad=True), torch.randn(batch, classes, dtype=dtype)


@pytest.mark.parametrize('batch', [1, 2, 7, 33])
@pytest.mark.parametrize('tau', [0.2, 1.0, 2.0])
def test_value_and_gradient_equal_the_formula(batch, tau):
    student, teacher = draw(batch)
    terms = transcription(student, teacher, tau)
    losses = sample_wise_contrastive_loss(student, teacher, temperature=tau, reduction='none')
    torch.testing.assert_close(losses, torch.stack(terms), rtol=1e-9, atol=1e-9)
    for reduction, expected in (('mean', sum(terms) / batch), ('sum', sum(terms))):
        loss = sample_wise_contrastive_loss(student, teacher, temperature=tau, reduction=reduction)
        torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-9)
        ours, theirs = (torch.autograd.grad(value, student, retain_graph=True)[0] for value in (loss, expected))
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_closed_forms():
    """The start at log B and the lower bound of a batch of 64."""
    two, many = torch.eye(2), torch.eye(64)
    assert float(sample_wise_contrastive_loss(two, two)) == pytest.approx(0.31326, abs=1e-5)
    assert float(sample_wise_contrastive_loss(two.flip(0), two)) == pytest.approx(1.31326, abs=1e-5)
    assert float(sample_wise_contrastive_loss(many, many)) == pytest.approx(3.18538, abs=1e-5)
    assert float(sample_wise_contrastive_loss(many, many, temperature=2.0)) == pytest.approx(3.66897, abs=1e-5)
    assert float(sample_wise_contrastive_loss(torch.ones(64, 3), torch.ones(64, 3))) == pytest.approx(4.159, abs=1e-3)
    one_against_all = -torch.ones(64, 1)
    one_against_all[0] = 1
    losses = sample_wise_contrastive_loss(one_against_all, torch.ones(64, 1), reduction='none')
    assert float(losses[0]) == pytest.approx(2.254, abs=1e-3)
    assert float(losses[0]) == pytest.approx(math.log(1 + 63 * math.exp(-2)), abs=1e-5)


def test_it_is_one_direction_with_the_teacher_as_anchor():
    student, teacher = draw()
    assert not torch.isclose(sample_wise_contrastive_loss(student, teacher), sample_wise_contrastive_loss(teacher, student))
    teacher.requires_grad_()
    assert torch.autograd.grad(sample_wise_contrastive_loss(student, teacher), teacher, allow_unused=True) == (None,)


def test_gradcheck():
    student, teacher = draw(4, 3)
    assert torch.autograd.gradcheck(lambda s: sample_wise_contrastive_loss(s, teacher, temperature=0.5), (student,))


def test_an_empty_batch_and_zero_rows_are_finite():
    student, teacher = draw(0)
    for reduction in ('mean', 'sum'):
        loss = sample_wise_contrastive_loss(student, teacher, reduction=reduction)
        assert float(loss.detach()) == 0
        assert loss.requires_grad
    assert sample_wise_contrastive_loss(student, teacher, reduction='none').shape == (0,)
    zeros = torch.zeros(3, 4, requires_grad=True)
    loss = sample_wise_contrastive_loss(zeros, torch.zeros(3, 4))
    assert float(loss.detach()) == pytest.approx(math.log(3))
    assert torch.autograd.grad(loss, zeros)[0].abs().max() == 0


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype):
    halves = [x.detach().to(dtype) for x in draw(8, 5, torch.float32)]
    expected = sample_wise_contrastive_loss(*(x.float() for x in halves), temperature=0.01)
    torch.testing.assert_close(sample_wise_contrastive_loss(*halves, temperature=0.01), expected)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(sample_wise_contrastive_loss(*halves, temperature=0.01), expected)


BAD = {
    'temperature': (dict(temperature=0), ValueError, 'temperature must be a finite number above 0, got 0; 1.0'),
    'nan': (dict(temperature=math.nan), ValueError, 'got nan'),
    'reduction': (dict(reduction='max'), ValueError, "mean, sum, none, got 'max'"),
    'classes': (dict(teacher_logits=torch.zeros(4, 6)), ValueError, r'got \(4, 5\) and \(4, 6\); both networks must see'),
    'rows': (dict(teacher_logits=torch.zeros(3, 5)), ValueError, r'\(3, 5\)'),
    '4-D': (dict(student_logits=torch.zeros(4, 5, 1, 1)), ValueError, 'student_logits must be 2-D'),
    'integers': (dict(student_logits=torch.zeros(4, 5, dtype=torch.long)), TypeError, 'floating-point'),
    'device': (dict(teacher_logits=torch.zeros(4, 5, device='meta')), ValueError, 'teacher_logits on meta'),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_input_is_named(case):
    changes, error, message = BAD[case]
    given = {'student_logits': torch.zeros(4, 5), 'teacher_logits': torch.zeros(4, 5), **changes}
    with pytest.raises(error, match=message):
        sample_wise_contrastive_loss(**given)
