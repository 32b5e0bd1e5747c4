"""Coarse classes instead of fine ones, which are kept as metadata."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmpretrain.datasets import BaseDataset

from icckd_mm.datasets.wrappers.class_map import ClassMap, ClassRef
from icckd_mm.registry import DATASETS


@DATASETS.register_module()
class CoarseLabels(ClassMap):
    """Groups classes under one label each; every image keeps its old label as ``fine_label``.

    Training sees only the coarse labels. ``fine_label`` is in the results of transforms and in the metainfo of the data
    sample, whatever the pipeline packs, so that one can measure what a network learns about the fine classes.

    Args:
        dataset: The data set with the fine labels, with its pipeline.
        groups: Fine classes, by name or label, of each coarse class; images of others are
            left out.
        names: Names of the coarse classes. Defaults to None: the fine names, joined by ``+``.
        indices: See :class:`ClassMap`. Defaults to None, all.
        lazy_init: Whether to postpone reading until it is needed. Defaults to False.

    Raises:
        TypeError: If ``dataset`` is not a data set.
        ValueError: If a class is unknown or named twice, a group is empty, or no image remains.

    Example:
        >>> from icckd_mm.datasets import Digits
        >>> parity = CoarseLabels(Digits(), groups=[[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]], names=['even', 'odd'])
        >>> info = parity.get_data_info(0)
        >>> info['gt_label'] == info['fine_label'] % 2, parity.metainfo['classes'], len(parity.metainfo['fine_classes'])
        (True, ('even', 'odd'), 10)
    """

    def __init__(
        self,
        dataset: dict | BaseDataset,
        groups: Sequence[Sequence[ClassRef]],
        names: Sequence[str] | None = None,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
    ) -> None:
        super().__init__(dataset, groups=groups, names=names, indices=indices, lazy_init=lazy_init)

    def full_init(self) -> None:
        """Read the data set and find the images that remain."""
        if self._fully_initialized:
            return
        super().full_init()
        self._fine = self.dataset.get_gt_labels()[self._rows]
        self._metainfo['fine_classes'] = tuple(self.dataset.metainfo['classes'])

    def get_fine_labels(self) -> np.ndarray:
        """Fine labels ``(N,)`` of all images."""
        self.full_init()
        return self._fine.copy()

    def get_data_info(self, idx: int) -> dict:
        """The information on an image, with both labels."""
        return {**super().get_data_info(idx), 'fine_label': int(self._fine[idx])}

    def _choose(self, chosen: Any) -> None:
        super()._choose(chosen)
        self._fine = self._fine[chosen]

    def __getitem__(self, idx: int) -> Any:
        item = super().__getitem__(idx)
        if 'data_samples' in item:
            item['data_samples'].set_metainfo({'fine_label': int(self._fine[idx])})
        return item
