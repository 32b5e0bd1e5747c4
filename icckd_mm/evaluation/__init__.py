"""Metrics for ``val_evaluator`` and ``test_evaluator``."""

from .class_geometry import ClassGeometry

__all__ = ['ClassGeometry']
