"""Data sets."""

from .class_map import ClassMap
from .coarse_labels import CoarseLabels
from .device_loader import DeviceLoader
from .digits import Digits
from .even_places import EvenPlaces
from .even_subset import even_subset
from .held_out import held_out_part
from .multi_view import MultiViewPatterns
from .random_images import RandomImages
from .tiny_imagenet import TinyImageNet

__all__ = [
    'ClassMap',
    'CoarseLabels',
    'DeviceLoader',
    'Digits',
    'EvenPlaces',
    'MultiViewPatterns',
    'RandomImages',
    'TinyImageNet',
    'even_subset',
    'held_out_part',
]
