"""Learnable layers between the feature widths of student and teacher."""

from .mlp import MLPConnector
from .tokens import TokensToMap

__all__ = ['MLPConnector', 'TokensToMap']
