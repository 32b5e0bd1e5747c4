"""Pure functions on tensors; they need nothing but torch."""

from .geometry import class_geometry
from .intra_class import intra_class_contrastive_loss
from .margin import confidence_margin

__all__ = ['class_geometry', 'confidence_margin', 'intra_class_contrastive_loss']
