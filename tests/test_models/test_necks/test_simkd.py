"""The projector of SimKD: its size, its cost, and what it does to maps of any size."""

import pytest
import torch
from mmengine.registry import MODELS

import icckd_mm  # noqa: F401
from icckd_mm.models import SimKDNeck
from icckd_mm.zoo.card.complexity import complexity


class Student(torch.nn.Module):
    """A network that is a neck alone."""

    def __init__(self, neck):
        super().__init__()
        self.neck = neck

    def forward(self, maps):
        return self.neck(maps)[0]


# published for resnet32x4 to resnet8x4, wrn40-2 to wrn40-1 and resnet110 to resnet20; multiply-adds in millions
@pytest.mark.parametrize(
    ('widths', 'factor', 'parameters', 'millions'),
    [
        ((256, 256), 2, 214_016, 13.6),
        ((256, 256), 4, 70_400, 4.5),
        ((256, 256), 8, 26_240, 1.6),
        ((64, 128), 2, 49_664, 3.2),
        ((64, 64), 2, 13_568, 0.9),
    ],
)
def test_size_and_cost_are_those_worked_out(widths, factor, parameters, millions):
    sizes = complexity(Student(SimKDNeck(*widths, factor)), (widths[0], 8, 8))
    assert sizes['Projector Parameters'] == sizes['Parameters'] == parameters
    normalised = 5 * 64 * (2 * widths[1] // factor + widths[1])  # of batch norm, which the published count leaves out
    assert (sizes['Projector FLOPs'] - normalised) / 1e6 == pytest.approx(millions, abs=0.06)


def test_a_map_larger_than_the_teachers_is_averaged_first():
    neck = SimKDNeck(3, 4, factor=2, max_side=4).eval()
    maps = torch.randn(2, 3, 8, 8)
    pooled = torch.nn.functional.avg_pool2d(maps, 2)
    torch.testing.assert_close(neck(maps)[0], neck((pooled,))[0])
    seen = []
    neck.projector.register_forward_hook(lambda *call: seen.append(call[2]))
    (features,) = neck((torch.randn(2, 9, 9, 9), maps))
    assert seen[0].shape == (2, 4, 4, 4)
    torch.testing.assert_close(features, seen[0].mean(dim=(2, 3)))
    assert SimKDNeck(3, 4).eval()(maps)[0].shape == (2, 4)


@pytest.mark.parametrize('options', [dict(in_channels=0), dict(teacher_channels=0), dict(factor=3), dict(max_side=0)])
def test_what_is_out_of_range_is_named(options):
    with pytest.raises(ValueError, match=f'{next(iter(options))} must'):
        MODELS.build(dict(type='icckd_mm.SimKDNeck', **{'in_channels': 3, 'teacher_channels': 4, **options}))
