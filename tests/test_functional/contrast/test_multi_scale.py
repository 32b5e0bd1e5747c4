import math

import pytest
import torch

from icckd_mm.functional import multi_scale_contrastive_loss, region_weights
from icckd_mm.functional.contrast.multi_scale_regions import map_regions
from tests import reference


def cells(features, grid):
    """Means of the cells of a map (D, H, W) that its grid divides, by slices."""
    height, width = features.size(1) // grid, features.size(2) // grid
    return [
        features[:, i * height : (i + 1) * height, j * width : (j + 1) * width].reshape(len(features), -1).mean(1)
        for i in range(grid)
        for j in range(grid)
    ]


def info_nce(anchor, candidates, place, tau):
    products = [(reference.unit(anchor) * reference.unit(one)).sum() / tau for one in candidates]
    return sum(p.exp() for p in products).log() - products[place]


def transcription(student, teacher, grids, tau, weights=None, a=1.0, b=1.0):
    """The formula, region by region."""
    batch, count, total = len(student), sum(g * g for g in grids), 0
    first = 0
    for grid in grids:
        s, t = ([cells(one, grid) for one in maps] for maps in (student, teacher))
        for i in range(batch):
            for r in range(grid * grid):
                omega = 1 if weights is None else weights[i, first + r]
                total = total + omega * a * info_nce(s[i][r], [t[j][r] for j in range(batch)], i, tau)
                total = total + omega * b * info_nce(s[i][r], t[i], r, tau)
        first += grid * grid
    return total / (batch * count)


def draw(batch=3, width=5, side=4, dtype=torch.float64):
    return torch.randn(batch, width, side, side, dtype=dtype, requires_grad=True), torch.randn(
        batch, width, side, side, dtype=dtype
    )


@pytest.mark.parametrize('batch', [1, 3])
@pytest.mark.parametrize('grids', [(1,), (4,), (1, 2, 4), (2, 1)], ids=str)
def test_value_and_gradient_equal_the_formula(batch, grids):
    student, teacher = draw(batch)
    weights = 1 + torch.randint(2, (batch, sum(g * g for g in grids))).double()
    options = dict(sample_weight=0.5, feature_weight=2.0)
    loss = multi_scale_contrastive_loss(student, teacher, grids=grids, temperature=0.3, weights=weights, **options)
    expected = transcription(student, teacher, grids, 0.3, weights, 0.5, 2.0)
    torch.testing.assert_close(loss, expected, rtol=1e-9, atol=1e-9)
    ours, theirs = (torch.autograd.grad(value, student)[0] for value in (loss, expected))
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=1e-9)


def test_closed_forms():
    """Equal regions: log B across images, and log of the regions of each scale within; the global region adds nothing there."""
    ones = torch.ones(8, 3, 8, 8)
    samples = multi_scale_contrastive_loss(ones, ones, feature_weight=0.0)
    within = multi_scale_contrastive_loss(ones, ones, sample_weight=0.0)
    assert float(samples) == pytest.approx(math.log(8))
    assert float(within) == pytest.approx((4 * math.log(4) + 16 * math.log(16)) / 21, rel=1e-5)
    assert float(multi_scale_contrastive_loss(ones, ones, grids=(4,), sample_weight=0.0)) == pytest.approx(math.log(16))
    assert float(multi_scale_contrastive_loss(ones, ones, grids=(1,), sample_weight=0.0)) == pytest.approx(0, abs=1e-5)
    twice = multi_scale_contrastive_loss(ones, ones, weights=torch.full((8, 21), 2.0))
    torch.testing.assert_close(twice, 2 * (samples + within))


def test_sizes_may_differ_and_grids_are_clipped():
    """An upsampled teacher has the same regions; a 2x2 map gives grids 1 and 2 once each."""
    student, teacher = draw(side=4)
    larger = teacher.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(
        multi_scale_contrastive_loss(student, larger), multi_scale_contrastive_loss(student, teacher), rtol=1e-9, atol=1e-9
    )
    small = draw(side=2)[1]
    clipped = multi_scale_contrastive_loss(student, small)
    torch.testing.assert_close(clipped, multi_scale_contrastive_loss(student, small, grids=(1, 2)))
    point = torch.randn(3, 5, 1, 1, dtype=torch.float64)
    assert torch.isfinite(multi_scale_contrastive_loss(student, point))
    odd = torch.randn(3, 5, 7, 7, dtype=torch.float64)
    assert torch.isfinite(multi_scale_contrastive_loss(odd, odd))


def test_gradcheck_and_no_gradient_for_the_teacher():
    student, teacher = draw(2, 3, 2)
    assert torch.autograd.gradcheck(lambda s: multi_scale_contrastive_loss(s, teacher, temperature=0.5), (student,))
    teacher.requires_grad_()
    assert torch.autograd.grad(multi_scale_contrastive_loss(student, teacher), teacher, allow_unused=True) == (None,)


def test_region_weights_are_the_rule():
    """2 where the verdict on the region differs from that on the whole image, 1 elsewhere."""
    maps, centers, bias = torch.randn(6, 5, 4, 4), torch.randn(3, 5), torch.randn(3)
    labels = torch.randint(3, (6,))
    weights = region_weights(maps, centers, bias, labels, grids=(1, 2, 4))
    assert set(weights.unique().tolist()) == {1.0, 2.0}
    for i in range(6):
        whole = int((centers @ maps[i].mean((1, 2)) + bias).argmax()) == labels[i]
        regions = [region for grid in (1, 2, 4) for region in cells(maps[i], grid)]
        right = [int((centers @ region + bias).argmax()) == labels[i] for region in regions]
        assert weights[i].tolist() == [1.0 if one == whole else 2.0 for one in right]
    assert torch.equal(region_weights(maps, centers, bias, labels, grids=(2,)), weights[:, 1:5])
    assert not region_weights(maps.requires_grad_(), centers, bias, labels, grids=(2,)).requires_grad


def test_regions_come_grid_after_grid():
    maps = torch.randn(2, 5, 4, 4)
    expected = torch.stack([torch.stack([r for g in (2, 1) for r in cells(one, g)]) for one in maps])
    torch.testing.assert_close(map_regions(maps, (2, 1)), expected)


def test_an_empty_batch_is_zero_with_a_gradient_path():
    student, teacher = draw(0)
    loss = multi_scale_contrastive_loss(student, teacher)
    assert float(loss.detach()) == 0
    assert loss.requires_grad


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_half_precision_is_raised(dtype):
    halves = [x.detach().to(dtype) for x in draw(dtype=torch.float32)]
    expected = multi_scale_contrastive_loss(*(x.float() for x in halves), temperature=0.01)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.testing.assert_close(multi_scale_contrastive_loss(*halves, temperature=0.01), expected)


BAD = {
    'temperature': (dict(temperature=0), ValueError, 'temperature .* got 0; 0.1 is the default'),
    'no grids': (dict(grids=()), ValueError, r'grids must be a sequence of sides, got \(\)'),
    'grid 0': (dict(grids=(1, 0)), ValueError, 'each of grids must be an integer of at least 1, got 0'),
    'a number': (dict(grids=4), ValueError, 'sequence of sides, got 4'),
    'sample weight': (dict(sample_weight=-1.0), ValueError, 'sample_weight .* got -1.0'),
    'feature weight': (dict(feature_weight=math.inf), ValueError, 'feature_weight .* got inf'),
    'width': (dict(teacher_map=torch.zeros(3, 6, 4, 4)), ValueError, 'bridge different widths with a connector'),
    'batch': (dict(teacher_map=torch.zeros(2, 5, 4, 4)), ValueError, 'agree in batch'),
    'pooled': (dict(student_map=torch.zeros(3, 5)), ValueError, 'student_map must be a map .* before the pooling'),
    'integers': (dict(teacher_map=torch.zeros(3, 5, 4, 4, dtype=torch.long)), TypeError, 'teacher_map must be a floating'),
    'weights': (dict(weights=torch.ones(3, 5)), ValueError, r'\(3, 21\), got \(3, 5\)'),
    'device': (dict(teacher_map=torch.zeros(3, 5, 4, 4, device='meta')), ValueError, 'meta'),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_input_is_named(case):
    changes, error, message = BAD[case]
    given = {'student_map': torch.zeros(3, 5, 4, 4), 'teacher_map': torch.zeros(3, 5, 4, 4), **changes}
    with pytest.raises(error, match=message):
        multi_scale_contrastive_loss(**given)


def test_bad_classifiers_are_named():
    maps, labels = torch.zeros(2, 5, 4, 4), torch.tensor([0, 1])
    with pytest.raises(ValueError, match='centers has width 6, but 5'):
        region_weights(maps, torch.zeros(3, 6), torch.zeros(3), labels, grids=(1,))
    with pytest.raises(ValueError, match=r'bias must have shape \(3,\), got \(2,\)'):
        region_weights(maps, torch.zeros(3, 5), torch.zeros(2), labels, grids=(1,))
    with pytest.raises(ValueError, match=r'\[0, 3\)'):
        region_weights(maps, torch.zeros(3, 5), torch.zeros(3), labels + 2, grids=(1,))
