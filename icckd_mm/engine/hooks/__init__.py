"""Hooks of mmengine's runner, one purpose each."""

from .exact_checkpoint_hook import ExactCheckpointHook
from .intra_class_contrast_hook import IntraClassContrastHook

__all__ = ['ExactCheckpointHook', 'IntraClassContrastHook']
