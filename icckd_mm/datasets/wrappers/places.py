"""The index of a sample in the training set, used by memories with one row per image."""

from __future__ import annotations

from typing import Any

from mmengine.dataset import BaseDataset
from mmpretrain.datasets import KFoldDataset

from icckd_mm.datasets.wrappers.nesting import inner_datasets


def set_place(item: Any, place: int) -> Any:
    """Set ``sample_idx`` of a sample to its index in the outer data set, if its pipeline keeps it.

    Args:
        item: An item of a data set.
        place: Its index in the outer one.

    Returns:
        The same object.
    """
    sample = item.get('data_samples') if isinstance(item, dict) else None
    if sample is not None and 'sample_idx' in sample:
        sample.set_metainfo({'sample_idx': place})
    return item


def numbered_dataset(loader: Any) -> Any:
    """The data set that ``sample_idx`` indexes; None if there are several.

    In loaders of :class:`icckd_mm.ExactTrainLoop` it indexes the outer data set. In mmengine's own loaders it indexes
    the innermost one: repeats of a ``RepeatDataset`` share an index, as do parts of a ``ConcatDataset``.

    Args:
        loader: The training loader.
    """
    dataset = loader.dataset
    while not (getattr(loader, 'numbers_places', False) or _numbers_places(dataset)):
        inner = inner_datasets(dataset)
        if len(inner) != 1:
            return None
        (dataset,) = inner
    return dataset


def count_places(loader: Any, user: str) -> int:
    """Number of rows that a memory of the training set needs.

    Args:
        loader: The training loader.
        user: Name of the memory's owner, for the message.

    Returns:
        Length of the loader's data set, which ``sample_idx`` indexes.

    Raises:
        ValueError: If it indexes another one; names the wrapper.
    """
    if numbered_dataset(loader) is not loader.dataset:
        raise ValueError(
            f'{user} keeps one row per item of the training set, but sample_idx counts within '
            f"{type(loader.dataset).__name__}; set train_cfg.type='icckd_mm.ExactTrainLoop', which numbers the items"
        )
    return len(loader.dataset)


def _numbers_places(dataset: Any) -> bool:
    """Whether the data set itself numbers its samples from 0."""
    if isinstance(dataset, KFoldDataset):  # it makes a subset, which numbers its images again
        return _numbers_places(dataset.dataset)
    return isinstance(dataset, BaseDataset) or getattr(type(dataset), 'numbers_places', False)
