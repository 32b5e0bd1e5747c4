"""Registered modules: losses, queues, backbones, necks, heads, connectors, data preprocessors."""

from .backbones import (
    CIFARVGG,
    CIFARMobileNetV2,
    CIFARResNet,
    CIFARShuffleNetV1,
    CIFARShuffleNetV2,
    CIFARWideResNet,
    MobileNetV1,
)
from .classifiers import TimmNetwork
from .connectors import MLPConnector, TokensToMap
from .data_preprocessors import TwoViewDataPreprocessor
from .data_preprocessors.rotation import RotationDataPreprocessor
from .heads import SubclassClsHead
from .losses import (
    CategoryCenterContrastiveLoss,
    CenterAlignmentLoss,
    FeatureAlignmentLoss,
    FirstViewCrossEntropyLoss,
    IntraClassContrastiveLoss,
    MCMILoss,
    MultiScaleContrastiveLoss,
    PreviewKLDivergence,
    SampleWiseContrastiveLoss,
)
from .necks import SimKDNeck
from .queues import ClassQueue

__all__ = [
    'CIFARVGG',
    'CIFARMobileNetV2',
    'CIFARResNet',
    'CIFARShuffleNetV1',
    'CIFARShuffleNetV2',
    'CIFARWideResNet',
    'CategoryCenterContrastiveLoss',
    'CenterAlignmentLoss',
    'ClassQueue',
    'FeatureAlignmentLoss',
    'FirstViewCrossEntropyLoss',
    'IntraClassContrastiveLoss',
    'MCMILoss',
    'MLPConnector',
    'MobileNetV1',
    'MultiScaleContrastiveLoss',
    'PreviewKLDivergence',
    'RotationDataPreprocessor',
    'SampleWiseContrastiveLoss',
    'SimKDNeck',
    'SubclassClsHead',
    'TimmNetwork',
    'TokensToMap',
    'TwoViewDataPreprocessor',
]
