import math

import pytest
import torch

from icckd_mm.functional import category_center_contrastive_loss


def transcription(student, teacher, labels, tau, tau0):
    """PCKD's contrast, vector by vector over the 2N scores."""
    scores = [*student, *teacher]
    classes = labels.tolist() * 2
    contrasts = []
    for a, anchor in enumerate(scores):
        total = sum(((anchor * scores[b]).sum() / tau).exp() for b in range(len(scores)) if b != a)
        partners = [p for p in range(len(scores)) if p != a and classes[p] == classes[a]]
        terms = [(anchor * scores[p]).sum() / tau - total.log() for p in partners]
        contrasts.append(-tau / tau0 * sum(terms) / len(partners))
    return [contrasts[n] + contrasts[n + len(student)] for n in range(len(student))]


def draw(rows=6, classes=3, dtype=torch.float64):
    student, teacher = (torch.randn(rows, classes, dtype=dtype, requires_grad=True) for _ in range(2))
    return student, teacher, torch.randint(classes, (rows,))


@pytest.mark.parametrize('rows', [1, 2, 6, 17])
@pytest.mark.parametrize(('tau', 'tau0'), [(4.0, 0.07), (0.5, 1.0)])
def test_value_and_gradient_equal_the_formula(rows, tau, tau0):
    student, teacher, labels = draw(rows)
    terms = transcription(student, teacher, labels, tau, tau0)
    options = dict(temperature=tau, base_temperature=tau0)
    losses = category_center_contrastive_loss(student, teacher, labels, reduction='none', **options)
    torch.testing.assert_close(losses, torch.stack(terms), rtol=1e-9, atol=1e-9)
    for reduction, expected in (('mean', sum(terms) / rows), ('sum', sum(terms))):
        loss = category_center_contrastive_loss(student, teacher, labels, reduction=reduction, **options)
        torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-9)
        ours, theirs = (torch.autograd.grad(value, (student, teacher), retain_graph=True) for value in (loss, expected))
        torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_closed_forms():
    """8 equal rows of one class give 57.14 log 15 = 154.75 for each of the 16 vectors."""
    same = torch.randn(1, 10).expand(8, 10)
    losses = category_center_contrastive_loss(same, same, torch.zeros(8, dtype=torch.long), reduction='none')
    assert losses.tolist() == pytest.approx([2 * 154.75] * 8, abs=0.02)
    assert float(losses[0]) == pytest.approx(2 * 4 / 0.07 * math.log(15), rel=1e-5)
    one = torch.randn(1, 10)
    assert float(category_center_contrastive_loss(one, one, torch.tensor([3]))) == pytest.approx(0, abs=1e-5)


def test_scores_are_not_normalised():
    student, teacher, labels = draw()
    short = category_center_contrastive_loss(student / 2, teacher / 2, labels)
    assert not torch.isclose(short, category_center_contrastive_loss(student, teacher, labels))
    torch.testing.assert_close(  # half the scores are a quarter of the products, as is four times the temperature
        4 * short, category_center_contrastive_loss(student, teacher, labels, temperature=16.0)
    )


def test_gradcheck():
    student, teacher, labels = draw(4)
    assert torch.autograd.gradcheck(lambda s, t: category_center_contrastive_loss(s, t, labels), (student, teacher))


def test_an_empty_batch_is_zero_with_a_gradient_path():
    student, teacher, labels = draw(0)
    loss = category_center_contrastive_loss(student, teacher, labels)
    assert float(loss.detach()) == 0
    assert loss.requires_grad
    assert category_center_contrastive_loss(student, teacher, labels, reduction='none').shape == (0,)


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_raised_and_huge_scores_stay_finite(dtype):
    student, teacher, labels = draw(dtype=torch.float32)
    halves = [200 * x.detach().to(dtype) for x in (student, teacher)]
    expected = category_center_contrastive_loss(*(x.float() for x in halves), labels)
    assert torch.isfinite(expected)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(category_center_contrastive_loss(*halves, labels), expected)


BAD = {
    'temperature': (dict(temperature=-1.0), ValueError, 'temperature .* got -1.0; 4.0 is the default'),
    'base': (dict(base_temperature=0.0), ValueError, 'base_temperature .* got 0.0; 0.07 is the default'),
    'reduction': (dict(reduction='max'), ValueError, "'max'"),
    'shape': (dict(teacher_scores=torch.zeros(4, 4)), ValueError, 'one shape'),
    'integers': (dict(student_scores=torch.zeros(4, 3, dtype=torch.long)), TypeError, 'floating-point'),
    'label count': (dict(labels=torch.tensor([0, 1])), ValueError, r'shape \(4,\)'),
    'float labels': (dict(labels=torch.zeros(4)), TypeError, 'integer'),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_input_is_named(case):
    changes, error, message = BAD[case]
    given = dict(student_scores=torch.zeros(4, 3), teacher_scores=torch.zeros(4, 3), labels=torch.tensor([0, 1, 0, 1]))
    given.update(changes)
    with pytest.raises(error, match=message):
        category_center_contrastive_loss(**given)
