"""Data sets."""

from .class_map import ClassMap
from .device_loader import DeviceLoader
from .digits import Digits
from .random_images import RandomImages
from .tiny_imagenet import TinyImageNet

__all__ = ['ClassMap', 'DeviceLoader', 'Digits', 'RandomImages', 'TinyImageNet']
