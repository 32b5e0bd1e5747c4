"""Losses as modules, thin over ``icckd_mm.functional``."""

from .category_center_alignment import CenterAlignmentLoss, FeatureAlignmentLoss
from .category_center_contrastive_loss import CategoryCenterContrastiveLoss
from .category_center_first_view import FirstViewCrossEntropyLoss
from .category_center_preview import PreviewKLDivergence
from .intra_class_contrastive_loss import IntraClassContrastiveLoss
from .mcmi_loss import MCMILoss
from .multi_scale_contrastive_loss import MultiScaleContrastiveLoss
from .sample_wise_contrastive_loss import SampleWiseContrastiveLoss
from .supervised_contrastive_loss import SupervisedContrastiveLoss

__all__ = [
    'CategoryCenterContrastiveLoss',
    'CenterAlignmentLoss',
    'FeatureAlignmentLoss',
    'FirstViewCrossEntropyLoss',
    'IntraClassContrastiveLoss',
    'MCMILoss',
    'MultiScaleContrastiveLoss',
    'PreviewKLDivergence',
    'SampleWiseContrastiveLoss',
    'SupervisedContrastiveLoss',
]
