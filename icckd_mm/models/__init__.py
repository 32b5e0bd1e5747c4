"""Registered modules: losses, queues, backbones, data preprocessors."""

from .backbones import CIFARVGG, CIFARMobileNetV2, CIFARResNet, CIFARShuffleNetV1, CIFARShuffleNetV2, CIFARWideResNet
from .data_preprocessors import TwoViewDataPreprocessor
from .losses import IntraClassContrastiveLoss
from .queues import ClassQueue

__all__ = [
    'CIFARVGG',
    'CIFARMobileNetV2',
    'CIFARResNet',
    'CIFARShuffleNetV1',
    'CIFARShuffleNetV2',
    'CIFARWideResNet',
    'ClassQueue',
    'IntraClassContrastiveLoss',
    'TwoViewDataPreprocessor',
]
