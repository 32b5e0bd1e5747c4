"""Corrected losses of mmrazor under their own names, with the prefix ``icckd_mm.``."""

from .features.ab import ABLoss
from .features.at import ATLoss
from .features.cwd import ChannelWiseDivergence
from .features.distances import L1Loss, L2Loss
from .logits.dkd import DKDLoss
from .logits.soft_ce import KDSoftCELoss
from .logits.subclass import SubclassKLLoss
from .relations.crd import CRDLoss
from .relations.rkd_angle import AngleWiseRKD
from .relations.rkd_distance import DistanceWiseRKD

__all__ = [
    'ABLoss',
    'ATLoss',
    'AngleWiseRKD',
    'CRDLoss',
    'ChannelWiseDivergence',
    'DKDLoss',
    'DistanceWiseRKD',
    'KDSoftCELoss',
    'L1Loss',
    'L2Loss',
    'SubclassKLLoss',
]
