"""Pure functions on tensors; they need nothing but torch."""

from .category_center import category_center_contrastive_loss
from .category_center_alignment import center_alignment_loss, feature_alignment_loss
from .category_center_preview import preview_weights, soft_label_divergence
from .geometry import class_geometry
from .intra_class import intra_class_contrastive_loss
from .margin import confidence_margin
from .mcmi import class_mean_predictions, mcmi_loss
from .multi_scale import multi_scale_contrastive_loss
from .multi_scale_regions import region_weights
from .sample_wise import sample_wise_contrastive_loss

__all__ = [
    'category_center_contrastive_loss',
    'center_alignment_loss',
    'class_geometry',
    'class_mean_predictions',
    'confidence_margin',
    'feature_alignment_loss',
    'intra_class_contrastive_loss',
    'mcmi_loss',
    'multi_scale_contrastive_loss',
    'preview_weights',
    'region_weights',
    'sample_wise_contrastive_loss',
    'soft_label_divergence',
]
