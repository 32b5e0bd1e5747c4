"""A small real data set that needs no download."""

from __future__ import annotations

from typing import Any

import mmcv
import numpy as np
from mmpretrain.datasets import BaseDataset
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from icckd_mm.registry import DATASETS

TEST_IMAGES = 360
SOURCE_MAX = 16  # grey levels in scikit-learn's copy run from 0 to 16


@DATASETS.register_module()
class Digits(BaseDataset):
    """1,797 handwritten digits of scikit-learn (UCI), 8x8 grey levels scaled up bilinearly to RGB.

    The split is fixed and stratified by class: 1,437 images for training, 360 for test. Images are arrays
    ``(scale, scale, 3)``, uint8, with three equal channels.

    Args:
        split: ``'train'`` or ``'test'``. Defaults to ``'train'``.
        scale: Side of the images in pixels. Defaults to 32.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`: ``pipeline``, ``indices``, ``test_mode``, …

    Raises:
        ValueError: If ``split`` is unknown or ``scale`` is below 8.
    """

    METAINFO = {'classes': tuple(str(digit) for digit in range(10))}  # noqa: RUF012 mmengine's name and type

    def __init__(self, split: str = 'train', scale: int = 32, **kwargs: Any) -> None:
        if split not in ('train', 'test'):
            raise ValueError(f"split must be 'train' or 'test', got {split!r}")
        if not isinstance(scale, int) or scale < 8:
            raise ValueError(f'scale must be an integer of at least 8 pixels, the size of the originals, got {scale!r}')
        self.split, self.scale = split, scale
        super().__init__(ann_file='', **kwargs)

    def load_data_list(self) -> list[dict]:
        """The images of the split, in the order of scikit-learn.

        Returns:
            ``img`` and ``gt_label`` of each image.
        """
        digits = load_digits()
        parts = train_test_split(np.arange(len(digits.target)), test_size=TEST_IMAGES, stratify=digits.target, random_state=0)
        chosen = np.sort(parts[self.split == 'test'])
        return [{'img': self._image(digits.images[i]), 'gt_label': int(digits.target[i])} for i in chosen]

    def _image(self, levels: np.ndarray) -> np.ndarray:
        grey = np.rint(levels * (255 / SOURCE_MAX)).astype(np.uint8)
        grey = mmcv.imresize(grey, (self.scale, self.scale), interpolation='bilinear')
        return np.repeat(grey[:, :, None], 3, axis=2)

    def extra_repr(self) -> list[str]:
        return [f'Split: \t{self.split}', f'Scale: \t{self.scale}']
