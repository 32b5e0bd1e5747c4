"""Learnable bridges between the widths of student and teacher."""

from .mlp import MLPConnector

__all__ = ['MLPConnector']
