"""Pure functions on tensors; they need nothing but torch."""

from .contrast.category_center import category_center_contrastive_loss
from .contrast.category_center_alignment import center_alignment_loss, feature_alignment_loss
from .contrast.category_center_preview import preview_weights
from .contrast.intra_class import intra_class_contrastive_loss
from .contrast.multi_scale import multi_scale_contrastive_loss
from .contrast.multi_scale_regions import region_weights
from .contrast.sample_wise import sample_wise_contrastive_loss
from .distill.adaptive_target import adaptive_target_loss
from .distill.attention import attention_transfer_loss, factor_transfer_loss
from .distill.correlation_congruence import correlation_congruence_loss
from .distill.hierarchical_context import hierarchical_context_loss
from .distill.logits.class_similarity import center_distances, class_distances, linear_cka
from .distill.logits.curriculum import curriculum_divergence
from .distill.logits.decoupled import decoupled_divergence
from .distill.logits.hard_labels import hard_label_cross_entropy
from .distill.logits.multi_level import batch_correlation, class_correlation, multi_level_loss
from .distill.logits.normalized import normalized_cross_entropy
from .distill.logits.scale_decoupled import consistency_weights, region_logits
from .distill.logits.self_normalized import self_normalized_loss
from .distill.logits.soft_labels import soft_label_divergence
from .distill.logits.standardize import standardized_logits
from .distill.logits.transformed_teacher import transformed_teacher_divergence
from .distill.logits.wasserstein import transport_costs, wasserstein_divergence
from .distill.map_statistics import gaussian_distance_loss
from .distill.neuron_selectivity import neuron_selectivity_loss
from .distill.probabilistic_transfer import probabilistic_transfer_loss
from .distill.projected_map import projected_map_loss
from .distill.similarity_preserving import similarity_preserving_loss
from .distill.variational_information import variational_information_loss
from .geometry import class_geometry
from .margin import confidence_margin
from .mcmi import class_mean_predictions, mcmi_loss

__all__ = [
    'adaptive_target_loss',
    'attention_transfer_loss',
    'batch_correlation',
    'category_center_contrastive_loss',
    'center_alignment_loss',
    'center_distances',
    'class_correlation',
    'class_distances',
    'class_geometry',
    'class_mean_predictions',
    'confidence_margin',
    'consistency_weights',
    'correlation_congruence_loss',
    'curriculum_divergence',
    'decoupled_divergence',
    'factor_transfer_loss',
    'feature_alignment_loss',
    'gaussian_distance_loss',
    'hard_label_cross_entropy',
    'hierarchical_context_loss',
    'intra_class_contrastive_loss',
    'linear_cka',
    'mcmi_loss',
    'multi_level_loss',
    'multi_scale_contrastive_loss',
    'neuron_selectivity_loss',
    'normalized_cross_entropy',
    'preview_weights',
    'probabilistic_transfer_loss',
    'projected_map_loss',
    'region_logits',
    'region_weights',
    'sample_wise_contrastive_loss',
    'self_normalized_loss',
    'similarity_preserving_loss',
    'soft_label_divergence',
    'standardized_logits',
    'transformed_teacher_divergence',
    'transport_costs',
    'variational_information_loss',
    'wasserstein_divergence',
]
