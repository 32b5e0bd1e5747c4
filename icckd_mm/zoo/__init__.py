"""Classifiers of other projects, as mmpretrain knows them."""

from .architectures import classifier_config
from .import_checkpoint import import_checkpoint

__all__ = ['classifier_config', 'import_checkpoint']
