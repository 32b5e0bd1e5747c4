import pytest
import torch

from icckd_mm.functional import confidence_margin
from tests import reference


@pytest.mark.parametrize('batch', [1, 2, 7, 64])
@pytest.mark.parametrize('classes', [1, 2, 10, 1000])
def test_margin_equals_the_formula_sample_by_sample(batch, classes):
    logits = 4 * torch.randn(batch, classes, dtype=torch.float64)
    labels = torch.randint(classes, (batch,))
    expected = [reference.margin(row, int(label)) for row, label in zip(logits, labels)]
    torch.testing.assert_close(confidence_margin(logits, labels), torch.tensor(expected, dtype=torch.float64))


def test_margin_has_the_published_unit_value():
    assert float(confidence_margin(torch.tensor([[2.0, 1.0, 0.0]]), torch.tensor([0]))) == pytest.approx(0.42051, abs=1e-5)


def test_margin_is_positive_exactly_where_the_argmax_is_right():
    logits, labels = torch.randn(500, 5), torch.randint(5, (500,))
    assert torch.equal(confidence_margin(logits, labels) > 0, logits.argmax(1) == labels)


def test_margin_stays_in_range_for_saturated_logits():
    margins = confidence_margin(torch.tensor([[1e4, -1e4], [1e4, -1e4]]), torch.tensor([0, 1]))
    assert margins.tolist() == [1.0, -1.0]


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_logits_are_raised_to_single_precision(dtype):
    logits, labels = torch.randn(8, 4).to(dtype), torch.randint(4, (8,))
    margins = confidence_margin(logits, labels)
    assert margins.dtype == torch.float32
    torch.testing.assert_close(margins, confidence_margin(logits.float(), labels))


def test_an_empty_batch_has_no_margins():
    assert confidence_margin(torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)).shape == (0,)


@pytest.mark.parametrize(
    ('logits', 'labels', 'error', 'message'),
    [
        (torch.zeros(2, 3), torch.tensor([0, 3]), ValueError, r'\[0, 3\), got values from 0 to 3'),
        (torch.zeros(2, 3), torch.tensor([0, -1]), ValueError, 'from -1 to 0'),
        (torch.zeros(2, 3), torch.tensor([0]), ValueError, r'shape \(2,\)'),
        (torch.zeros(2, 3), torch.tensor([0.0, 1.0]), TypeError, 'integer'),
        (torch.zeros(2, 3), torch.eye(2), TypeError, 'soft or mixed labels'),
        (torch.zeros(2, 3, 1), torch.tensor([0, 1]), ValueError, r'2-D \(B, D\), got shape \(2, 3, 1\)'),
        (torch.zeros(2, 3, dtype=torch.long), torch.tensor([0, 1]), TypeError, 'floating-point'),
    ],
)
def test_bad_input_is_named(logits, labels, error, message):
    with pytest.raises(error, match=message):
        confidence_margin(logits, labels)
