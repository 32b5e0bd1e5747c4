"""Corrected losses of mmrazor under their own names, with the prefix ``icckd_mm.``."""

from .ab import ABLoss
from .at import ATLoss
from .crd import CRDLoss
from .cwd import ChannelWiseDivergence
from .distances import L1Loss, L2Loss
from .dkd import DKDLoss
from .rkd_angle import AngleWiseRKD
from .rkd_distance import DistanceWiseRKD
from .soft_ce import KDSoftCELoss

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
]
