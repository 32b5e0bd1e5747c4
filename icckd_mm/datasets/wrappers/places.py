"""Which place of the training set a sample has: what memories of images are indexed by."""

from __future__ import annotations

from typing import Any

from mmengine.dataset import BaseDataset
from mmpretrain.datasets import KFoldDataset

from icckd_mm.datasets.wrappers.nesting import inner_datasets


def set_place(item: Any, place: int) -> Any:
    """Let ``sample_idx`` of a sample count in the outer data set, where its pipeline keeps it.

    Args:
        item: What a data set gives.
        place: Its index there.

    Returns:
        The same object.
    """
    sample = item.get('data_samples') if isinstance(item, dict) else None
    if sample is not None and 'sample_idx' in sample:
        sample.set_metainfo({'sample_idx': place})
    return item


def numbered_dataset(loader: Any) -> Any:
    """The data set that ``sample_idx`` of the samples of a loader counts in; None if it counts in several.

    The loaders of :class:`icckd_mm.ExactTrainLoop` count in their data set, whatever it is wrapped in. mmengine's own counts in
    the innermost one: places of a ``RepeatDataset`` share their index, as do those of the parts of a ``ConcatDataset``.

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
    """How many rows a memory of the training set needs.

    Args:
        loader: The training loader.
        user: Who keeps the memory, for the message.

    Returns:
        Length of the loader's data set, in which ``sample_idx`` counts.

    Raises:
        ValueError: If it counts in another one, naming the wrapper.
    """
    if numbered_dataset(loader) is not loader.dataset:
        raise ValueError(
            f'{user} keeps a row for each place of the training set, but sample_idx counts within '
            f"{type(loader.dataset).__name__}; set train_cfg.type='icckd_mm.ExactTrainLoop', which numbers the places"
        )
    return len(loader.dataset)


def _numbers_places(dataset: Any) -> bool:
    """Whether the data set itself numbers its samples from 0."""
    if isinstance(dataset, KFoldDataset):  # it takes a subset, which numbers its images again
        return _numbers_places(dataset.dataset)
    return isinstance(dataset, BaseDataset) or getattr(type(dataset), 'numbers_places', False)
