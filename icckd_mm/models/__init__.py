"""Registered modules: losses, queues, backbones, data preprocessors."""

from .backbones import CIFARResNet, CIFARVGG, CIFARWideResNet
from .data_preprocessors import TwoViewDataPreprocessor
from .losses import IntraClassContrastiveLoss
from .queues import ClassQueue

__all__ = [
    'CIFARResNet',
    'CIFARVGG',
    'CIFARWideResNet',
    'ClassQueue',
    'IntraClassContrastiveLoss',
    'TwoViewDataPreprocessor',
]
