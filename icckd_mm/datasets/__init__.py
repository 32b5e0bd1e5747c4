"""Data sets. Functions that take a part of one are not imported here: plans name them by their modules."""

from icckd_mm.datasets.multi_view_patterns import MultiViewPatterns
from icckd_mm.datasets.wrappers.class_map import ClassMap
from icckd_mm.datasets.wrappers.coarse_labels import CoarseLabels
from icckd_mm.datasets.wrappers.even_places import EvenPlaces

from .device_loader import DeviceLoader
from .digits import Digits
from .image_arrays import ImageArrays
from .random_images import RandomImages
from .tiny_imagenet import TinyImageNet

__all__ = [
    'ClassMap',
    'CoarseLabels',
    'DeviceLoader',
    'Digits',
    'EvenPlaces',
    'ImageArrays',
    'MultiViewPatterns',
    'RandomImages',
    'TinyImageNet',
]
