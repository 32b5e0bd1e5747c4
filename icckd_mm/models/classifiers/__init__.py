"""Classifiers of other packages."""

from .timm_network import TimmNetwork

__all__ = ['TimmNetwork']
