"""Images of one file of arrays."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from mmpretrain.datasets import BaseDataset

from icckd_mm.registry import DATASETS


@DATASETS.register_module()
class ImageArrays(BaseDataset):
    """Small images of equal size that lie decoded in one ``.npz`` file, for runs that start often.

    The file holds ``classes``, names in the order of the labels, and for each split ``<split>_images``
    ``(N, H, W, 3)`` uint8 and ``<split>_labels`` ``(N,)``. Channels are in the order that the config expects.

    Args:
        file: Path of the file; objects in it are refused.
        split: Name of the split. Defaults to ``'train'``.
        **kwargs: Arguments of :class:`mmpretrain.datasets.BaseDataset`: ``pipeline`` (without ``LoadImageFromFile``, the images
            are in memory), ``indices``, ``test_mode``, …

    Raises:
        ValueError: If the file does not hold such arrays.
    """

    def __init__(self, file: str, split: str = 'train', **kwargs: Any) -> None:
        self.file, self.split = file, split
        self.images, self.labels, classes = read_arrays(file, split)
        super().__init__(ann_file='', classes=classes, serialize_data=False, **kwargs)

    def load_data_list(self) -> list[dict]:
        """The images of the split, in the order of the file.

        Returns:
            ``img`` and ``gt_label`` of each image.
        """
        return [{'img': image, 'gt_label': int(label)} for image, label in zip(self.images, self.labels)]

    def extra_repr(self) -> list[str]:
        return [f'File: \t{self.file}', f'Split: \t{self.split}']


def read_arrays(file: str | Path, split: str) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Images, labels and names of the classes of a split.

    Args:
        file: A file as :class:`ImageArrays` describes.
        split: Name of the split.

    Raises:
        ValueError: If an array is missing, has another form or names a class that does not exist.
    """
    names = (f'{split}_images', f'{split}_labels', 'classes')
    try:
        with np.load(file, allow_pickle=False) as arrays:
            images, labels, classes = (arrays[name] for name in names)
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f'{file} must be a .npz file with {", ".join(names)}: {error}') from None
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3:
        raise ValueError(f'{file}: {names[0]} must be uint8 (N, H, W, 3), got {images.dtype} {images.shape}')
    if labels.shape != images.shape[:1] or labels.dtype.kind not in 'iu':
        raise ValueError(f'{file}: {names[1]} must be integers of shape {images.shape[:1]}, got {labels.dtype} {labels.shape}')
    if classes.ndim != 1 or classes.dtype.kind != 'U':
        raise ValueError(f'{file}: classes must be a list of names, got {classes.dtype} {classes.shape}')
    if len(labels) and not 0 <= labels.min() <= labels.max() < len(classes):
        raise ValueError(f'{file}: {names[1]} run from {labels.min()} to {labels.max()}, there are {len(classes)} classes')
    return images, labels, classes.tolist()
