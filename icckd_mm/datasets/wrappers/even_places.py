"""Takes evenly spread items of any data set."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmpretrain.registry import DATASETS as HOST_DATASETS

from icckd_mm.datasets.even_subset import spread
from icckd_mm.datasets.wrappers.nesting import labelled_datasets
from icckd_mm.datasets.wrappers.places import set_place
from icckd_mm.registry import DATASETS


@DATASETS.register_module()
class EvenPlaces:
    """At most ``images`` items of a data set or of any wrapper around one, evenly spread.

    Unlike ``indices`` it does not take the first images, which are those of the first classes in a folder sorted by class.

    Args:
        dataset: The data set, with its pipeline.
        images: Number of items; all if there are fewer.

    Raises:
        ValueError: If ``images`` is not a whole number from 1 on.

    Example:
        >>> twice = dict(type='RepeatDataset', times=2, dataset=dict(type='icckd_mm.Digits', split='test'))
        >>> len(EvenPlaces(twice, images=16)), len(EvenPlaces(twice, images=10000))
        (16, 720)
    """

    numbers_places = True

    def __init__(self, dataset: Any, images: int) -> None:
        if type(images) is not int or images < 1:
            raise ValueError(f'images must be a whole number of at least 1, got {images!r}')
        self.dataset: Any = HOST_DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        self._places = spread(len(self.dataset), min(images, len(self.dataset)))

    @property
    def metainfo(self) -> dict:
        """The metainfo of the data set."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Read the data set."""
        self.dataset.full_init()

    def get_gt_labels(self) -> np.ndarray:
        """Labels ``(N,)`` of the items."""
        if labelled_datasets(self.dataset) == [self.dataset]:
            return self.dataset.get_gt_labels()[self._places]
        return np.array([self.dataset.get_data_info(place)['gt_label'] for place in self._places])

    def get_cat_ids(self, idx: int) -> list[int]:
        """Classes of the image at an index."""
        return self.dataset.get_cat_ids(self._places[idx])

    def get_data_info(self, idx: int) -> dict:
        """The information on the image at an index."""
        return {**self.dataset.get_data_info(self._places[idx]), 'sample_idx': idx}

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, idx: int) -> Any:
        return set_place(self.dataset[self._places[idx]], idx)
