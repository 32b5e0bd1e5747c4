"""Algorithms of mmrazor with checked teachers; importing this package needs mmrazor."""

from .data_free import DAFLDataFreeDistillation, DataFreeDistillation
from .overhaul import OverhaulFeatureDistillation
from .reused_classifier import ReusedClassifierDistill
from .safe_teacher_distill import SafeTeacherDistill

__all__ = [
    'DAFLDataFreeDistillation',
    'DataFreeDistillation',
    'OverhaulFeatureDistillation',
    'ReusedClassifierDistill',
    'SafeTeacherDistill',
]
