"""Hooks for the training of a student."""

from .distill_weight_hook import DistillWeightHook
from .stop_distill_hook import StopDistillHook
from .subclass_hook import SubclassHook
from .teacher_accuracy_hook import TeacherAccuracyHook
from .teacher_cache_hook import TeacherCacheHook

__all__ = ['DistillWeightHook', 'StopDistillHook', 'TeacherAccuracyHook', 'TeacherCacheHook']
__all__ = ['StopDistillHook', 'SubclassHook', 'TeacherAccuracyHook', 'TeacherCacheHook']
