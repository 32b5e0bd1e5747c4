"""Learnable layers between the feature widths of student and teacher."""

from .mlp import MLPConnector

__all__ = ['MLPConnector']
