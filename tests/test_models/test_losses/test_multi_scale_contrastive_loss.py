import pytest
import torch

from icckd_mm.functional import multi_scale_contrastive_loss, region_weights
from icckd_mm.models import MultiScaleContrastiveLoss
from icckd_mm.registry import MODELS


@pytest.mark.parametrize(
    'options', [{}, dict(grids=[1, 2]), dict(temperature=0.5), dict(sample_weight=2.0), dict(feature_weight=0.5)], ids=str
)
def test_is_the_function_and_every_argument_acts(options):
    student, teacher = torch.randn(3, 5, 4, 4), torch.randn(3, 5, 4, 4)
    loss = MODELS.build(dict(type='icckd_mm.MultiScaleContrastiveLoss', **options))(s_feature=student, t_feature=teacher)
    torch.testing.assert_close(loss, multi_scale_contrastive_loss(student, teacher, **options))
    assert options == {} or not torch.isclose(loss, multi_scale_contrastive_loss(student, teacher))


def test_the_teachers_classifier_and_labels_weigh_the_regions():
    """The grids are those of the smaller map."""
    student, teacher = torch.randn(4, 5, 2, 2), torch.randn(4, 5, 4, 4)
    centers, bias, labels = torch.randn(3, 5), torch.randn(3), torch.tensor([0, 1, 2, 0])
    loss = MultiScaleContrastiveLoss()(student, teacher, centers, bias, labels)
    weights = region_weights(teacher, centers, bias, labels, grids=(1, 2))
    assert weights.unique().tolist() == [1, 2]
    torch.testing.assert_close(loss, multi_scale_contrastive_loss(student, teacher, weights=weights))


def test_bad_arguments_are_named():
    for options in (dict(temperature=0.0), dict(sample_weight=-1.0), dict(feature_weight=-1.0)):
        (name,) = options
        with pytest.raises(ValueError, match=f'{name} must be a finite number'):
            MultiScaleContrastiveLoss(**options)
    with pytest.raises(ValueError, match=r'sequence of sides, got \(\)'):
        MultiScaleContrastiveLoss(grids=())
    with pytest.raises(ValueError, match='each of grids must be an integer of at least 1, got 0'):
        MultiScaleContrastiveLoss(grids=(1, 0))


def test_bad_tensors_are_named():
    loss, maps = MultiScaleContrastiveLoss(), torch.randn(3, 5, 4, 4)
    with pytest.raises(ValueError, match='s_feature must be a map'):
        loss(maps.mean((2, 3)), maps)
    with pytest.raises(ValueError, match='go together, got only some of them; map all three or none'):
        loss(maps, maps, gt_labels=torch.tensor([0, 1, 2]))
