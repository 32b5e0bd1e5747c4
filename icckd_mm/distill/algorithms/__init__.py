"""Algorithms of mmrazor with checked teachers; importing this package needs mmrazor."""

from .data_free import DAFLDataFreeDistillation, DataFreeDistillation
from .overhaul import OverhaulFeatureDistillation
from .safe_teacher_distill import SafeTeacherDistill

__all__ = ['DAFLDataFreeDistillation', 'DataFreeDistillation', 'OverhaulFeatureDistillation', 'SafeTeacherDistill']
