"""From collated samples to the batch a classifier sees."""

from .two_view import TwoViewDataPreprocessor

__all__ = ['TwoViewDataPreprocessor']
