"""Data preprocessors that make batches of several views."""

from .two_view import TwoViewDataPreprocessor

__all__ = ['TwoViewDataPreprocessor']
