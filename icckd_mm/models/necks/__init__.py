"""Layers between a backbone and a classifier."""

from .simkd import SimKDNeck

__all__ = ['SimKDNeck']
