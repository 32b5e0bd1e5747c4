"""Trains the teacher: a hook for mmengine's runner and the step that it adds to a classifier. mmrazor is not needed."""

from .hook import IntraClassContrastHook

__all__ = ['IntraClassContrastHook']
