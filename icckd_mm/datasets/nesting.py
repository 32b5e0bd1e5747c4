"""What lies inside of wrappers such as ``ClassMap``, ``RepeatDataset`` or ``RepeatableDataset``."""

from __future__ import annotations

import copy
from typing import Any, Callable

from mmpretrain.registry import DATASETS as HOST_DATASETS


def innermost_config(config: Any) -> Any:
    """The config of the data set itself, with its pipeline; the object that was given, not a copy."""
    while 'dataset' in config:
        config = config['dataset']
    return config


def innermost_dataset(dataset: Any) -> Any:
    """The data set itself, in which ``sample_idx`` counts."""
    while hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    return dataset


def build_cut(dataset: dict, cut: Callable[[Any], None]) -> Any:
    """Build a data set whose innermost one is cut down before the wrappers are put around it.

    Args:
        dataset (dict): Config of a data set of mmpretrain, or of a wrapper that takes a built one, such as ``CoarseLabels``.
        cut (Callable): Is given the innermost data set, and takes images out of it in place.

    Returns:
        Any: The data set that ``dataset`` describes.
    """
    dataset = copy.deepcopy(dataset)
    inner = innermost_config(dataset)
    built = HOST_DATASETS.build(inner)
    cut(built)
    if inner is dataset:
        return built
    owner: Any = dataset
    while owner['dataset'] is not inner:
        owner = owner['dataset']
    owner['dataset'] = built
    return HOST_DATASETS.build(dataset)
