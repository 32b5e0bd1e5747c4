"""Metrics for ``val_evaluator`` and ``test_evaluator``, and a hook that gives them features."""

from .class_geometry import ClassGeometry
from .predicted_features_hook import PredictedFeaturesHook

__all__ = ['ClassGeometry', 'PredictedFeaturesHook']
