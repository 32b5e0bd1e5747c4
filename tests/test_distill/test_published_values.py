"""Losses and connectors of the benchmark against values that were computed by hand, in float64."""

import pytest
import torch
from mmrazor.models.losses import WSLD, DISTLoss, OFDLoss
from torch import nn

from icckd_mm.distill.connectors import ConvRegConnector, OFDMarginConnector
from icckd_mm.distill.losses import ABLoss, AngleWiseRKD, ATLoss, DistanceWiseRKD, DKDLoss, FTLoss, L2Loss

STUDENT = torch.tensor([[2, 1, 0], [0, 1, 3]], dtype=torch.float64)
TEACHER = torch.tensor([[3, 1, -1], [1, 0, 4]], dtype=torch.float64)
LABELS = torch.tensor([0, 2])


def waves(*shape):
    """Sines for the student, cosines for the teacher."""
    steps = torch.arange(1, torch.Size(shape).numel() + 1, dtype=torch.float64)
    return steps.sin().reshape(shape), steps.cos().reshape(shape)


MAPS, ROWS = waves(2, 2, 2, 2), waves(4, 4)


@pytest.mark.parametrize(
    ('loss', 'inputs', 'expected'),
    [
        (L2Loss(normalize=False, div_element=True, loss_weight=100.0), MAPS, 97.94415426),
        (L2Loss(normalize=False), MAPS, 7.83553234),  # the sum that FitNet had before
        (ATLoss(), MAPS, 0.19936162),
        (DistanceWiseRKD(loss_weight=1.0, with_l2_norm=False), ROWS, 0.01252484),
        (AngleWiseRKD(loss_weight=1.0, with_l2_norm=False), ROWS, 0.00989320),
        (DKDLoss(tau=4.0, alpha=1.0, beta=8.0), (STUDENT, TEACHER, LABELS), 2.65385015),
        (DKDLoss(tau=4.0, alpha=1.0, beta=0.0), (STUDENT, TEACHER, LABELS), 0.18565693),
        (DKDLoss(tau=4.0, alpha=0.0, beta=1.0), (STUDENT, TEACHER, LABELS), 0.30852415),
        (WSLD(tau=2.0, num_classes=3), (STUDENT, TEACHER, LABELS), 3.17991712),
        (WSLD(tau=2.0, num_classes=3, loss_weight=2.5), (STUDENT, TEACHER, LABELS), 7.94979281),
        (WSLD(tau=4.0, num_classes=3), (STUDENT, TEACHER, LABELS), 15.40654739),
        (DISTLoss(tau=4.0, intra_loss_weight=0.0), (STUDENT, TEACHER), 0.65645678),
        (DISTLoss(tau=4.0, inter_loss_weight=0.0), (STUDENT, TEACHER), 3.21598e-05),
        (DISTLoss(tau=1.0, intra_loss_weight=0.0), (STUDENT, TEACHER), 0.00888535),
        (ABLoss(), MAPS, 0.04006677),
        (FTLoss(), MAPS, 0.43173254),
    ],
)
def test_a_loss_has_its_value(loss, inputs, expected):
    assert loss(*inputs).item() == pytest.approx(expected, abs=1e-6)


def test_relations_have_the_weights_of_the_benchmark():
    total = DistanceWiseRKD(25.0, with_l2_norm=False)(*ROWS) + AngleWiseRKD(50.0, with_l2_norm=False)(*ROWS)
    assert total.item() == pytest.approx(0.80778090, abs=1e-6)


def test_overhaul_compares_where_the_student_is_above_the_margin():
    student, teacher = MAPS
    margin = torch.tensor([-0.5, -0.3], dtype=torch.float64)[:, None, None]
    connector = OFDMarginConnector('bn').double()
    connector.margin = margin
    assert OFDLoss()(student, connector(teacher)).item() == pytest.approx(0.00612627, abs=1e-6)


@pytest.mark.parametrize(('weight', 'bias', 'margin'), [(1.0, 0.0, -0.79788456), (-1.0, 1.0, -0.52513528), (0.5, 2.0, -1.5)])
def test_a_margin_is_the_mean_of_what_is_negative(weight, bias, margin):
    teacher = nn.Sequential(nn.BatchNorm2d(1).double())
    nn.init.constant_(teacher[0].weight, weight)
    nn.init.constant_(teacher[0].bias, bias)
    connector = OFDMarginConnector('0')
    connector.read_teacher(teacher)
    assert connector.margin.item() == pytest.approx(margin, abs=1e-6)
    assert connector.state_dict() == {}  # it follows from the teacher


def test_a_margin_of_something_else_is_refused():
    for name in ('1', '0'):
        with pytest.raises(ValueError, match=f'norm={name!r} must name a batch norm of the teacher'):
            OFDMarginConnector(name).read_teacher(nn.Sequential(nn.ReLU()))


@pytest.mark.parametrize(
    ('s_shape', 't_shape', 'kind', 'kernel'),
    [
        ((3, 8, 8), (5, 8, 8), nn.Conv2d, (1, 1)),
        ((3, 8, 8), (5, 6, 7), nn.Conv2d, (3, 2)),
        ((3, 8, 8), (5, 4, 4), nn.Conv2d, (3, 3)),
        ((3, 4, 4), (5, 8, 8), nn.ConvTranspose2d, (4, 4)),
    ],
)
def test_the_regressor_brings_a_map_to_the_teachers_shape(s_shape, t_shape, kind, kernel):
    connector = ConvRegConnector(s_shape, t_shape)
    assert type(connector.conv) is kind
    assert connector.conv.kernel_size == kernel
    assert connector.conv.bias is not None
    out = connector(torch.randn(2, *s_shape))
    assert out.shape == (2, *t_shape)
    assert out.min() == 0
    assert ConvRegConnector(s_shape, t_shape, relu=False)(torch.randn(2, *s_shape)).min() < 0


def test_a_regressor_that_cannot_be_is_refused():
    with pytest.raises(ValueError, match=r"\(3, 4, 4\) of the student cannot be brought to the teacher's \(5, 16, 16\)"):
        ConvRegConnector((3, 4, 4), (5, 16, 16))
    with pytest.raises(ValueError, match=r's_shape must be the three sizes \(C, H, W\) of a map, got \(3,\)'):
        ConvRegConnector((3,), (5, 4, 4))
