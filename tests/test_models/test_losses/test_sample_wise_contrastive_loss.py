import math

import pytest
import torch

from icckd_mm.functional import sample_wise_contrastive_loss
from icckd_mm.models import SampleWiseContrastiveLoss
from icckd_mm.registry import MODELS


@pytest.mark.parametrize('options', [{}, dict(temperature=0.5), dict(loss_weight=100.0)], ids=str)
def test_is_the_weighted_function_and_every_argument_acts(options):
    student, teacher = torch.randn(6, 4), torch.randn(6, 4)
    loss = MODELS.build(dict(type='icckd_mm.SampleWiseContrastiveLoss', **options))(preds_S=student, preds_T=teacher)
    tau, weight = options.get('temperature', 1.0), options.get('loss_weight', 10.0)
    torch.testing.assert_close(loss, weight * sample_wise_contrastive_loss(student, teacher, temperature=tau))


def test_has_no_state():
    assert not SampleWiseContrastiveLoss().state_dict()


@pytest.mark.parametrize('options', [dict(temperature=0.0), dict(loss_weight=-1.0), dict(loss_weight=math.nan)], ids=str)
def test_bad_arguments_are_named(options):
    (name,) = options
    with pytest.raises(ValueError, match=f'{name} must be a finite number'):
        SampleWiseContrastiveLoss(**options)
