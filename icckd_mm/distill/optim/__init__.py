"""Optimizers that treat the student's own loss and the distillation apart."""

from .dot_sgd import DOTSGD
from .dot_wrapper import DOTAmpOptimWrapper, DOTOptimWrapper

__all__ = ['DOTSGD', 'DOTAmpOptimWrapper', 'DOTOptimWrapper']
