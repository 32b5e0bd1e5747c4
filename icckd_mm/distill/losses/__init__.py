"""Corrected losses of mmrazor under their own names, with the prefix ``icckd_mm.``, and losses that it lacks."""

from .features.ab import ABLoss
from .features.at import ATLoss
from .features.cwd import ChannelWiseDivergence
from .features.distances import L1Loss, L2Loss
from .features.ft import FTLoss
from .features.nst import NSTLoss
from .features.reviewkd import ReviewKDLoss
from .features.simkd import SimKDLoss
from .features.vid import VIDLoss
from .features.wkd import WKDFeatureLoss
from .logits.ctkd import CurriculumKLDivergence
from .logits.dkd import DKDLoss
from .logits.hard_labels import HardLabelLoss
from .logits.kl import KLDivergence
from .logits.mlkd import MultiLevelLogitLoss
from .logits.nkd import NKDLoss
from .logits.ofa import OFALoss
from .logits.sdd import SDDDKDLoss, SDDKLDivergence
from .logits.soft_ce import KDSoftCELoss
from .logits.subclass import SubclassKLLoss
from .logits.ttm import TransformedTeacherLoss
from .logits.uskd import USKDLoss
from .logits.wkd import WassersteinLogitLoss
from .relations.cc import CCLoss
from .relations.crd import CRDLoss
from .relations.pkt import PKTLoss
from .relations.rkd_angle import AngleWiseRKD
from .relations.rkd_distance import DistanceWiseRKD
from .relations.sp import SPLoss

__all__ = [
    'ABLoss',
    'ATLoss',
    'AngleWiseRKD',
    'CCLoss',
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
    'NSTLoss',
    'OFALoss',
    'PKTLoss',
    'ReviewKDLoss',
    'SDDDKDLoss',
    'SDDKLDivergence',
    'SPLoss',
    'SimKDLoss',
    'SubclassKLLoss',
    'TransformedTeacherLoss',
    'USKDLoss',
    'VIDLoss',
    'WKDFeatureLoss',
    'WassersteinLogitLoss',
]
