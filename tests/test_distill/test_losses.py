"""Each corrected loss: what mmrazor gives, what the formula gives, what ours gives. mmrazor's is called for real."""

import copy
import math

import pytest
import torch
from mmengine.registry import MODELS

import icckd_mm  # noqa: F401


def theirs(name, **options):
    return MODELS.build(dict(type=f'mmrazor.{name}', **options))


def ours(name, **options):
    return MODELS.build(dict(type=f'icckd_mm.{name}', **options))


def gradient(loss, student, *others):
    student = student.clone().requires_grad_()
    value = loss(student, *others)
    value.sum().backward()
    return value.detach(), student.grad


def dkd_formula(student, teacher, labels, tau, alpha, beta):
    """Eq. 7 of the paper, image by image with plain exponentials in float64."""
    total = 0.0
    for row, (s, t) in enumerate(zip(student.tolist(), teacher.tolist())):
        y = int(labels[row])
        p, q = ([math.exp(v / tau) for v in logits] for logits in (t, s))
        p, q = [v / sum(p) for v in p], [v / sum(q) for v in q]
        target = p[y] * math.log(p[y] / q[y]) + (1 - p[y]) * math.log((1 - p[y]) / (1 - q[y]))
        rest = [c for c in range(len(p)) if c != y]
        among = sum(p[c] / (1 - p[y]) * math.log(p[c] / (1 - p[y]) / (q[c] / (1 - q[y]))) for c in rest)
        total += tau**2 * (alpha * target + beta * among)
    return total / len(student)


@pytest.mark.parametrize(('tau', 'alpha', 'beta'), [(1.0, 1.0, 1.0), (4.0, 1.0, 8.0), (2.0, 0.5, 0.0), (2.0, 0.0, 3.0)])
def test_dkd_is_the_mean_over_images(tau, alpha, beta):
    student, teacher, labels = torch.randn(6, 5).double(), 3 * torch.randn(6, 5).double(), torch.randint(5, (6,))
    options = dict(tau=tau, alpha=alpha, beta=beta)
    expected = dkd_formula(student, teacher, labels, **options)
    value = ours('DKDLoss', **options)(student, teacher, labels)
    assert value.item() == pytest.approx(expected, rel=1e-9)
    assert ours('DKDLoss', loss_weight=0.5, **options)(student, teacher, labels).item() == pytest.approx(0.5 * expected)
    for reduction in ('mean', 'none', 'sum'):  # all of them are the sum upstream
        upstream = theirs('DKDLoss', reduction=reduction, **options)(student, teacher, labels)
        assert upstream.item() == pytest.approx(6 * expected, rel=1e-6)


@pytest.mark.parametrize('size', [1e3, 1e4])
def test_dkd_survives_saturated_logits(size):
    student, teacher, labels = (
        size * torch.tensor([[1.0, -1.0, 0.0]]),
        size * torch.tensor([[-1.0, 1.0, 0.0]]),
        torch.tensor([0]),
    )
    value, grad = gradient(theirs('DKDLoss'), student, teacher, labels)
    assert not value.isfinite()
    assert grad.isnan().all()
    value, grad = gradient(ours('DKDLoss'), student, teacher, labels)
    # b_T is (0, 1), b_S is (1, e^-size): size; among the rest both are sure of a different class: size
    assert value.item() == pytest.approx((1 + 1) * size, rel=1e-5)
    assert grad.isfinite().all()
    assert grad.abs().sum() > 0


def test_dkd_gradcheck_and_half_precision():
    labels = torch.randint(4, (5,))
    teacher = torch.randn(5, 4).double()
    loss = ours('DKDLoss', tau=2.0, beta=3.0)
    assert torch.autograd.gradcheck(lambda x: loss(x, teacher, labels), torch.randn(5, 4).double().requires_grad_())
    assert loss(teacher.half(), teacher.half(), labels).dtype == torch.float32


def test_soft_cross_entropy_needs_no_mmcls():
    student, teacher = torch.randn(6, 5).double(), torch.randn(6, 5).double()
    with pytest.raises(TypeError, match='PlaceHolder'):
        theirs('KDSoftCELoss', tau=3.0)(student, teacher)
    soft, own = ((x / 3).softmax(1) for x in (teacher, student))
    expected = sum(-p * math.log(q) for p, q in zip(soft.flatten().tolist(), own.flatten().tolist())) / 6
    assert ours('KDSoftCELoss', tau=3.0)(student, teacher).item() == pytest.approx(9 * expected)
    assert ours('KDSoftCELoss', tau=3.0, mult_tem_square=False)(student, teacher).item() == pytest.approx(expected)
    assert ours('KDSoftCELoss', tau=3.0, loss_weight=2.0)(student, teacher).item() == pytest.approx(18 * expected)


def test_attention_of_equal_maps_is_upstreams():
    student, teacher = torch.randn(3, 4, 5, 6).double(), torch.randn(3, 7, 5, 6).double()
    for mine, other in zip(
        gradient(ours('ATLoss', loss_weight=2.0), student, teacher),
        gradient(theirs('ATLoss', loss_weight=2.0), student, teacher),
    ):
        torch.testing.assert_close(mine, other)


def test_attention_pools_the_larger_map():
    student, teacher = torch.randn(2, 3, 8, 8).double(), torch.randn(2, 3, 4, 4).double()
    with pytest.raises(RuntimeError, match='must match the size'):
        theirs('ATLoss')(student, teacher)
    pooled = student.reshape(2, 3, 4, 2, 4, 2).mean((3, 5))
    value, grad = gradient(ours('ATLoss'), student, teacher)
    torch.testing.assert_close(value, theirs('ATLoss')(pooled, teacher))
    assert grad.abs().sum() > 0
    swapped, _ = gradient(ours('ATLoss'), teacher, student)
    torch.testing.assert_close(swapped, value)


@pytest.mark.parametrize('name', ['ATLoss', 'ChannelWiseDivergence'])
def test_maps_of_one_place_are_refused_instead_of_giving_0(name):
    student, teacher = torch.randn(2, 3, 1, 1), torch.randn(2, 3, 1, 1)
    value, grad = gradient(theirs(name), student, teacher)
    assert value == 0
    assert not grad.any()
    with pytest.raises(ValueError, match=r'\(2, 3, 1, 1\) share a single one: it would be 0 without gradient; record earlier'):
        ours(name)(student, teacher)


@pytest.mark.parametrize(('teacher', 'message'), [((2, 3), 'must be a map'), ((3, 3, 4, 4), 'same images, got 2 and 3')])
def test_attention_names_what_does_not_fit(teacher, message):
    with pytest.raises(ValueError, match=message):
        ours('ATLoss')(torch.randn(2, 3, 4, 4), torch.randn(teacher))


def test_attention_maps_that_share_one_place_are_refused():
    with pytest.raises(ValueError, match='share a single one'):
        ours('ATLoss')(torch.randn(2, 3, 1, 4), torch.randn(2, 3, 4, 1))


@pytest.mark.parametrize(
    ('name', 'options'),
    [
        ('L1Loss', {}),
        ('L2Loss', {}),
        ('L2Loss', dict(normalize=False, mult=2.0, div_element=True)),
        ('ABLoss', dict(margin=0.5)),
        ('ChannelWiseDivergence', dict(tau=2.0)),
    ],
)
def test_equal_maps_give_upstreams_value_and_gradient(name, options):
    student, teacher = torch.randn(3, 4, 5, 5).double(), torch.randn(3, 4, 5, 5).double()
    for mine, other in zip(
        gradient(ours(name, loss_weight=3.0, **options), student, teacher),
        gradient(theirs(name, loss_weight=3.0, **options), student, teacher),
    ):
        torch.testing.assert_close(mine, other)


@pytest.mark.filterwarnings('ignore:Using a target size')
@pytest.mark.parametrize('name', ['L1Loss', 'ABLoss'])
def test_maps_of_different_size_broadcast_upstream_and_are_refused_here(name):
    student, teacher = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 1, 1)
    assert theirs(name)(student, teacher) > 0  # a number without meaning
    with pytest.raises(ValueError, match=rf'{name} compares element by element, but the student has \(2, 3, 4, 4\)'):
        ours(name)(student, teacher)


def test_byot_features_are_not_compared_in_all_pairs():
    """``dist=True, normalize=False`` of mmrazor's BYOT config: rows against pooled maps."""
    student, teacher = torch.randn(64, 32).double(), torch.randn(64, 32, 1, 1).double()
    options = dict(normalize=False, dist=True, loss_weight=0.03)
    expected = 0.03 * math.sqrt(sum((s - t) ** 2 for s, t in zip(student.flatten().tolist(), teacher.flatten().tolist())))
    assert ours('L2Loss', **options)(student, teacher).item() == pytest.approx(expected)
    assert theirs('L2Loss', **options)(student, teacher).item() > 30 * expected
    same = torch.randn(2, 3)
    assert gradient(ours('L2Loss', **options), same, same)[1].isfinite().all()
    assert gradient(theirs('L2Loss', **options), same, same)[1].isnan().all()


def test_a_zero_row_is_finite():
    zero, other = torch.zeros(2, 3), torch.ones(2, 3)
    assert theirs('L2Loss')(zero, other).isnan()
    value, grad = gradient(ours('L2Loss'), zero, other)
    assert value.item() == pytest.approx(1.0)
    assert not grad.any()
    for connector, finite in (
        (theirs('CRDConnector', dim_in=3, dim_out=4), False),
        (ours('CRDConnector', dim_in=3, dim_out=4), True),
    ):
        torch.nn.init.zeros_(connector.linear.bias)
        rows = connector(torch.cat([zero, other]))
        rows.square().sum().backward()
        assert bool(rows.isfinite().all()) == finite
        assert bool(connector.linear.weight.grad.isfinite().all()) == finite


def test_the_connector_gives_upstreams_rows():
    mine, other = ours('CRDConnector', dim_in=8, dim_out=4), theirs('CRDConnector', dim_in=8, dim_out=4)
    mine.linear.load_state_dict(other.linear.state_dict())
    maps = torch.randn(5, 2, 2, 2)
    torch.testing.assert_close(mine(maps), other(maps))


@pytest.mark.parametrize('normalised', [True, False])
def test_angles_are_upstreams_in_any_chunks(normalised, monkeypatch):
    from icckd_mm.distill.losses.relations import rkd_angle

    student, teacher = torch.randn(7, 5).double(), torch.randn(7, 3, 2, 1).double()
    options = dict(loss_weight=2.0, with_l2_norm=normalised)
    expected = gradient(theirs('AngleWiseRKD', **options), student, teacher)
    for elements in (1, 2 * 7 * 7, 2**22):
        monkeypatch.setattr(rkd_angle, 'ELEMENTS', elements)
        for mine, other in zip(gradient(ours('AngleWiseRKD', **options), student, teacher), expected):
            torch.testing.assert_close(mine, other)


def test_equal_rows_have_no_huge_gradient():
    student, teacher = torch.randn(6, 4), torch.randn(6, 4)
    student[1] = student[0]
    (_, huge), (_, fine) = (gradient(kind('AngleWiseRKD'), student, teacher) for kind in (theirs, ours))
    assert huge.abs().max() > 1e8
    assert fine.abs().max() < 100


@pytest.mark.parametrize('normalised', [True, False])
def test_distances_are_upstreams(normalised):
    student, teacher = torch.randn(7, 5).double(), torch.randn(7, 3, 2, 1).double()
    options = dict(loss_weight=2.0, with_l2_norm=normalised)
    expected = gradient(theirs('DistanceWiseRKD', **options), student, teacher)
    for mine, other in zip(gradient(ours('DistanceWiseRKD', **options), student, teacher), expected):
        torch.testing.assert_close(mine, other)


@pytest.mark.parametrize(('name', 'rows'), [('DistanceWiseRKD', 1), ('AngleWiseRKD', 1), ('AngleWiseRKD', 2)])
def test_a_last_batch_without_a_relation_gives_0_and_a_zero_gradient(name, rows):
    student, teacher = torch.randn(rows, 4), torch.randn(rows, 6)
    value, grad = gradient(ours(name), student, teacher)
    assert value == 0
    assert grad.eq(0).all()
    if name == 'DistanceWiseRKD':
        assert theirs(name)(student, teacher).isnan()


def test_relations_need_the_same_images():
    for name in ('DistanceWiseRKD', 'AngleWiseRKD'):
        with pytest.raises(ValueError, match='must see the same images, got 4 and 5'):
            ours(name)(torch.randn(4, 4), torch.randn(5, 4))


def test_equal_rows_have_distance_0_and_a_finite_gradient():
    value, grad = gradient(ours('DistanceWiseRKD'), torch.ones(3, 4), torch.randn(3, 4))
    assert value.isfinite()
    assert grad.isfinite().all()


WEIGHTED = [
    'ABLoss',
    'ATLoss',
    'AngleWiseRKD',
    'DistanceWiseRKD',
    'CRDLoss',
    'ChannelWiseDivergence',
    'DKDLoss',
    'KDSoftCELoss',
    'L1Loss',
    'L2Loss',
]


@pytest.mark.parametrize('name', WEIGHTED)
@pytest.mark.parametrize('weight', [-1.0, float('nan'), float('inf'), '1'])
def test_weights_are_numbers_of_at_least_0(name, weight):
    with pytest.raises(ValueError, match='loss_weight must be a finite number of at least 0'):
        ours(name, loss_weight=weight)


OUT_OF_RANGE = {
    'DKDLoss': dict(tau=0, alpha=-1, beta=-1),
    'KDSoftCELoss': dict(tau=-1),
    'ChannelWiseDivergence': dict(tau=float('nan')),
    'ABLoss': dict(margin=-1),
    'L2Loss': dict(mult=-1),
    'CRDLoss': dict(temperature=0, momentum=1, neg_num=0, eps=0, sample_n=0, dim_out=0),
}


@pytest.mark.parametrize(('name', 'argument'), [(name, argument) for name in OUT_OF_RANGE for argument in OUT_OF_RANGE[name]])
def test_arguments_out_of_range_are_named(name, argument):
    with pytest.raises(ValueError, match=f'{argument} must'):
        ours(name, **{argument: OUT_OF_RANGE[name][argument]})


@pytest.mark.parametrize('name', ['DKDLoss', 'KDSoftCELoss'])
def test_logits_of_different_classes_are_refused(name):
    labels = [torch.zeros(4, dtype=torch.long)] if name == 'DKDLoss' else []
    with pytest.raises(
        ValueError, match=r'must have one shape, got \(4, 5\) and \(4, 6\); .* for logits, have the same classes'
    ):
        ours(name)(torch.randn(4, 5), torch.randn(4, 6), *copy.copy(labels))


def test_dkd_names_bad_labels():
    with pytest.raises(ValueError, match=r'labels must lie in \[0, 5\)'):
        ours('DKDLoss')(torch.randn(2, 5), torch.randn(2, 5), torch.tensor([0, 5]))
    with pytest.raises(ValueError, match='a class beside the true one is needed'):
        ours('DKDLoss')(torch.randn(2, 1), torch.randn(2, 1), torch.tensor([0, 0]))
