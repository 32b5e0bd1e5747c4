"""Losses as modules, thin over ``icckd_mm.functional``."""

from .intra_class_contrastive_loss import IntraClassContrastiveLoss

__all__ = ['IntraClassContrastiveLoss']
