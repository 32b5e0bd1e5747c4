"""Corrected losses of mmrazor under their own names, with the prefix ``icckd_mm.``."""

from .features.ab import ABLoss
from .features.at import ATLoss
from .features.cwd import ChannelWiseDivergence
from .features.distances import L1Loss, L2Loss
from .features.ft import FTLoss
from .logits.ctkd import CurriculumKLDivergence
from .logits.dkd import DKDLoss
from .logits.hard_labels import HardLabelLoss
from .logits.kl import KLDivergence
from .logits.mlkd import MultiLevelLogitLoss
from .logits.nkd import NKDLoss
from .logits.sdd import SDDDKDLoss, SDDKLDivergence
from .logits.soft_ce import KDSoftCELoss
from .logits.ttm import TransformedTeacherLoss
from .logits.uskd import USKDLoss
from .logits.wkd import WassersteinLogitLoss
from .relations.crd import CRDLoss
from .relations.rkd_angle import AngleWiseRKD
from .relations.rkd_distance import DistanceWiseRKD

__all__ = [
    'ABLoss',
    'ATLoss',
    'AngleWiseRKD',
    'CRDLoss',
    'ChannelWiseDivergence',
    'CurriculumKLDivergence',
    'DKDLoss',
    'DistanceWiseRKD',
    'FTLoss',
    'HardLabelLoss',
    'KDSoftCELoss',
    'KLDivergence',
    'L1Loss',
    'L2Loss',
    'MultiLevelLogitLoss',
    'NKDLoss',
    'SDDDKDLoss',
    'SDDKLDivergence',
    'TransformedTeacherLoss',
    'USKDLoss',
    'WassersteinLogitLoss',
]
