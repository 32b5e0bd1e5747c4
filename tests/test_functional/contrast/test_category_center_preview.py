import math

import pytest
import torch

from icckd_mm.functional import preview_weights, soft_label_divergence
from icckd_mm.functional.contrast.category_center_preview import check_rotations


def test_weights_equal_the_formula():
    ce = (3 * torch.rand(20, dtype=torch.float64)).requires_grad_()
    values = ce.tolist()
    mean = sum(values) / 20
    for epoch in (1, 100, 240):
        threshold = 1.005**epoch
        expected = [1 if x / mean <= threshold else math.exp(-((x / mean) ** 2)) for x in values]
        weights = preview_weights(ce, epoch=epoch)
        assert weights.tolist() == pytest.approx(expected)
        assert not weights.requires_grad
        assert weights.dtype == torch.float64


def test_closed_forms():
    """The formula: (0.5, 1.5) in epoch 1, the drops at the threshold and at twice the mean, the threshold of epoch 240."""
    assert preview_weights(torch.tensor([0.5, 1.5]), epoch=1).tolist() == pytest.approx([1, 0.10540], abs=1e-5)
    just_above = preview_weights(torch.tensor([0.99, 1.01], dtype=torch.float64), epoch=1)
    assert float(just_above[1]) == pytest.approx(0.36, abs=0.005)
    assert float(preview_weights(torch.tensor([0.0, 2.0]), epoch=1)[1]) == pytest.approx(0.02, abs=0.002)
    spikes = torch.zeros(100)
    for ratio, weight in ((3.30, 1.0), (3.32, math.exp(-(3.32**2)))):
        spikes[0], spikes[1:] = ratio, (100 - ratio) / 99
        assert float(preview_weights(spikes, epoch=240)[0]) == pytest.approx(weight, rel=1e-3)


def test_epoch_and_base_move_the_threshold():
    ce = torch.tensor([0.5, 1.5])
    assert preview_weights(ce, epoch=82)[1] == 1  # 1.005^82 = 1.505
    assert preview_weights(ce, epoch=81)[1] < 1
    assert preview_weights(ce, epoch=1, base=1.5)[1] == 1


def test_limits_are_finite():
    assert preview_weights(torch.zeros(3), epoch=1).tolist() == [1, 1, 1]
    assert preview_weights(torch.zeros(0), epoch=1).shape == (0,)
    halves = preview_weights(torch.tensor([0.5, 1.5], dtype=torch.float16), epoch=1)
    assert halves.dtype == torch.float32


def test_soft_label_divergence_equals_the_formula():
    student, teacher = (torch.randn(5, 4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    terms = []
    for s, t in zip(student, teacher.detach()):
        p_s, p_t = (s / 3).exp() / (s / 3).exp().sum(), (t / 3).exp() / (t / 3).exp().sum()
        terms.append(9 * sum(p_t[c] * (p_t[c].log() - p_s[c].log()) for c in range(4)))
    losses = soft_label_divergence(student, teacher, temperature=3, reduction='none')
    torch.testing.assert_close(losses, torch.stack(terms))
    for reduction, expected in (('mean', sum(terms) / 5), ('sum', sum(terms))):
        loss = soft_label_divergence(student, teacher, temperature=3, reduction=reduction)
        torch.testing.assert_close(loss, expected)
        ours, theirs = (torch.autograd.grad(value, student, retain_graph=True)[0] for value in (loss, expected))
        torch.testing.assert_close(ours, theirs)
    assert torch.autograd.grad(loss, teacher, allow_unused=True) == (None,)
    assert torch.autograd.gradcheck(lambda s: soft_label_divergence(s, teacher.detach()), (student,))


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_soft_labels_in_half_precision_are_raised(dtype):
    student, teacher = (50 * torch.randn(5, 4).to(dtype) for _ in range(2))
    with torch.autocast('cpu', dtype=torch.bfloat16):
        loss = soft_label_divergence(student, teacher)
    torch.testing.assert_close(loss, soft_label_divergence(student.float(), teacher.float()))


def test_rows_must_come_image_by_image():
    check_rotations(torch.tensor([1, 1, 1, 1, 0, 0, 0, 0]), 4)
    check_rotations(torch.tensor([1, 0, 1]), 1)
    with pytest.raises(ValueError, match='6 rows are not 4 views of each image; set data_preprocessor'):
        check_rotations(torch.zeros(6, dtype=torch.long), 4)
    with pytest.raises(ValueError, match='the 4 views of an image must be consecutive and have one label'):
        check_rotations(torch.tensor([1, 0, 1, 0]), 4)


@pytest.mark.parametrize(
    ('ce', 'options', 'error', 'message'),
    [
        (torch.ones(2), dict(epoch=0), ValueError, r'epoch \(counted from 1\) must be an integer of at least 1, got 0'),
        (torch.ones(2), dict(epoch=1.5), ValueError, 'got 1.5'),
        (torch.ones(2), dict(epoch=1, base=0.0), ValueError, 'base .* got 0.0; 1.005 is the default'),
        (torch.ones(2, 2), dict(epoch=1), ValueError, r"got \(2, 2\); use reduction='none'"),
        (torch.ones(2, dtype=torch.long), dict(epoch=1), TypeError, 'ce must be a floating-point'),
        ([0.5], dict(epoch=1), TypeError, 'list'),
    ],
)
def test_bad_input_is_named(ce, options, error, message):
    with pytest.raises(error, match=message):
        preview_weights(ce, **options)
    with pytest.raises(ValueError, match='temperature'):
        soft_label_divergence(torch.ones(2, 2), torch.ones(2, 2), temperature=0)
