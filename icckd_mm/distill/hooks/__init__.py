"""Hooks for the training of a student."""

from .stop_distill_hook import StopDistillHook
from .subclass_hook import SubclassHook
from .teacher_accuracy_hook import TeacherAccuracyHook
from .teacher_cache_hook import TeacherCacheHook

__all__ = ['StopDistillHook', 'SubclassHook', 'TeacherAccuracyHook', 'TeacherCacheHook']
