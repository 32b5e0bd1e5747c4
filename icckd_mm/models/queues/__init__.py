"""Stores of earlier features."""

from .class_queue import ClassQueue
from .feature_bank import FeatureBank

__all__ = ['ClassQueue', 'FeatureBank']
