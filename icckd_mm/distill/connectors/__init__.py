"""Layers between the output of a model and the input of a loss."""

from .conv_reg import ConvRegConnector
from .crd import CRDConnector
from .ofa_head import OFAConvHead
from .ofd_margin import OFDMarginConnector

__all__ = ['CRDConnector', 'ConvRegConnector', 'OFAConvHead', 'OFDMarginConnector']
