"""Noise instead of a data set, to test a config."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.logging import MMLogger
from mmpretrain.datasets import BaseDataset

from icckd_mm.registry import DATASETS


@DATASETS.register_module()
class RandomImages(BaseDataset):
    """Random noise of the size and number of classes of a data set that is not available; nothing can be learnt from it.

    The classes come in turn, so ``num_images`` of at least ``num_classes`` has them all. Logs that it is noise.

    Args:
        num_images: Number of images.
        size: Their side in pixels.
        num_classes: Number of classes.
        seed: Seed of the noise; images are the same in every run. Defaults to 0.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`: ``pipeline`` (without ``LoadImageFromFile``, the images
            are in memory), ``test_mode``, …

    Raises:
        ValueError: If a number is not positive.

    Example:
        >>> RandomImages(num_images=4, size=8, num_classes=2).get_gt_labels()
        array([0, 1, 0, 1])
    """

    def __init__(self, num_images: int, size: int, num_classes: int, seed: int = 0, **kwargs: Any) -> None:
        for name, value in (('num_images', num_images), ('size', size), ('num_classes', num_classes)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f'{name} must be a positive integer, got {value!r}')
        self.num_images, self.size, self.num_classes, self.seed = num_images, size, num_classes, seed
        super().__init__(ann_file='', classes=[f'noise {label}' for label in range(num_classes)], **kwargs)

    def load_data_list(self) -> list[dict]:
        """The images.

        Returns:
            ``img``, an array ``(size, size, 3)`` of uint8, and ``gt_label`` of each.
        """
        MMLogger.get_current_instance().warning(
            'RANDOM NOISE, NOT DATA: %d generated images of %d classes. Accuracies mean nothing.',
            self.num_images,
            self.num_classes,
        )
        generator = np.random.default_rng(self.seed)
        images = generator.integers(256, size=(self.num_images, self.size, self.size, 3), dtype=np.uint8)
        return [{'img': image, 'gt_label': number % self.num_classes} for number, image in enumerate(images)]

    def extra_repr(self) -> list[str]:
        return [f'Random noise: \t{self.num_images} images of {self.size}x{self.size}']
