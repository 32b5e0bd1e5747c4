"""Maps the classes of any data set to fewer ones."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy, deepcopy
from typing import Any, Union

import numpy as np
from mmpretrain.datasets import BaseDataset
from mmpretrain.registry import DATASETS as HOST_DATASETS

from icckd_mm.registry import DATASETS

ClassRef = Union[int, str]  # a label or the name of a class


@DATASETS.register_module()
class ClassMap:
    """A data set with fewer classes: some of its own (``classes``), or groups of them under one label (``groups``).

    New labels follow the order given; images of other classes are left out. Works on any data set with class names
    and mmpretrain's pipelines: CIFAR, Digits, Tiny-ImageNet, ImageNet, image folders. Set ``head.num_classes`` accordingly.

    Args:
        dataset: The data set, with its pipeline.
        groups: Classes, by name or label, that become one class each.
        classes: Classes to keep. Exactly one of ``groups`` and ``classes`` is needed.
        names: Names of the new classes. Defaults to None: the old names, joined by ``+`` in a group.
        indices: A number (the first ones) or indices of the remaining images to keep; ``indices`` of
            the data set itself are applied before. Defaults to None, all.
        lazy_init: Whether to postpone reading until :meth:`full_init`. Defaults to False.

    Raises:
        TypeError: If ``dataset`` is not a data set.
        ValueError: If a class does not exist or is named twice, or if no image remains.

    Example:
        >>> from icckd_mm.datasets import Digits
        >>> parity = ClassMap(Digits(), groups=[['0', '2', '4', '6', '8'], ['1', '3', '5', '7', '9']], names=['even', 'odd'])
        >>> parity.metainfo['classes'], int(parity.get_gt_labels().max())
        (('even', 'odd'), 1)
    """

    numbers_places = True

    def __init__(
        self,
        dataset: dict | BaseDataset,
        groups: Sequence[Sequence[ClassRef]] | None = None,
        classes: Sequence[ClassRef] | None = None,
        names: Sequence[str] | None = None,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
    ) -> None:
        if (groups is None) == (classes is None):
            raise ValueError(f'give either groups or classes, got groups={groups!r} and classes={classes!r}')
        members = [list(group) for group in groups] if groups is not None else [[one] for one in classes or ()]
        if not all(members) or not members:
            raise ValueError(f'every new class needs at least one old one, got groups={groups!r}, classes={classes!r}')
        if names is not None and len(names) != len(members):
            raise ValueError(f'names must have one name for each of the {len(members)} new classes, got {list(names)!r}')
        self.dataset = HOST_DATASETS.build(dataset) if isinstance(dataset, dict) else dataset
        if not isinstance(self.dataset, BaseDataset):
            raise TypeError(f'dataset must be one of mmpretrain, without a wrapper, got {type(self.dataset).__name__}')
        self.members, self.names, self.indices = members, names, indices
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    def full_init(self) -> None:
        """Read the data set and find the images that remain."""
        if self._fully_initialized:
            return
        self.dataset.full_init()
        old = list(self.dataset.metainfo['classes'])
        groups = [[_label(one, old) for one in group] for group in self.members]
        new_of: dict[int, int] = {}
        for new, group in enumerate(groups):
            for label in group:
                if label in new_of:
                    raise ValueError(f'class {old[label]!r} is named twice in groups or classes; name it once')
                new_of[label] = new
        labels = self.dataset.get_gt_labels()
        rows = np.flatnonzero(np.isin(labels, list(new_of)))
        if self.indices is not None:
            rows = rows[: self.indices] if isinstance(self.indices, int) else rows[list(self.indices)]
        if not len(rows):
            raise ValueError(f'no image of {type(self.dataset).__name__} is left; its indices exclude the classes asked for')
        self._rows = rows
        self._labels = np.array([new_of[label] for label in labels[rows]])
        self.member_labels = groups
        names = self.names or ['+'.join(old[label] for label in group) for group in groups]
        self._metainfo = {**self.dataset.metainfo, 'classes': tuple(names)}
        self._fully_initialized = True

    @property
    def metainfo(self) -> dict:
        """The metainfo of the data set, with the new names under ``classes``."""
        self.full_init()
        return deepcopy(self._metainfo)

    @property
    def CLASSES(self) -> tuple[str, ...]:  # noqa: N802 mmpretrain's name
        """Names of the new classes."""
        return self.metainfo['classes']

    def get_gt_labels(self) -> np.ndarray:
        """New labels ``(N,)`` of all images."""
        self.full_init()
        return self._labels.copy()

    def get_cat_ids(self, idx: int) -> list[int]:
        """New label of an image, in a list."""
        return [int(self.get_gt_labels()[idx])]

    def get_data_info(self, idx: int) -> dict:
        """The information on an image, with its new label and its index here."""
        self.full_init()
        info = self.dataset.get_data_info(int(self._rows[idx]))
        return {**info, 'gt_label': int(self._labels[idx]), 'sample_idx': int(idx) % len(self)}

    def get_subset(self, indices: int | Sequence[int]) -> ClassMap:
        """Keep the first images or those at some indices, with all classes, as mmpretrain's ``KFoldDataset`` needs."""
        self.full_init()
        chosen = copy(self)
        chosen._choose(slice(indices) if isinstance(indices, int) else list(indices))
        return chosen

    def _choose(self, chosen: Any) -> None:
        self._rows, self._labels = self._rows[chosen], self._labels[chosen]

    def __len__(self) -> int:
        self.full_init()
        return len(self._rows)

    def __getitem__(self, idx: int) -> Any:
        return self.dataset.pipeline(self.get_data_info(idx))


def _label(one: ClassRef, classes: list[str]) -> int:
    if isinstance(one, str) and one in classes:
        return classes.index(one)
    if isinstance(one, int) and 0 <= one < len(classes):
        return one
    raise ValueError(f'{one!r} is not a class; use a label from 0 to {len(classes) - 1} or a name such as {classes[:10]!r}')
