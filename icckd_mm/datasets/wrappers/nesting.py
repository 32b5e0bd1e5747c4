"""Looks inside wrappers such as ``ClassMap``, ``ConcatDataset`` or ``RepeatableDataset``."""

from __future__ import annotations

import copy
from typing import Any, Callable

import numpy as np
from mmpretrain.registry import DATASETS as HOST_DATASETS


def innermost_configs(config: Any) -> list[Any]:
    """The configs of the innermost data sets, with their pipelines; not copies."""
    inner = config.get('datasets') or ([config['dataset']] if 'dataset' in config else [])
    return [found for one in inner for found in innermost_configs(one)] if inner else [config]


def innermost_config(config: Any) -> Any:
    """The config of the only data set.

    Raises:
        ValueError: If a wrapper joins several.
    """
    found = innermost_configs(config)
    if len(found) > 1:
        raise ValueError(f'{_joining(config)["type"]} joins {len(found)} data sets; give a single one')
    return found[0]


def common_pipeline(config: Any) -> list[dict]:
    """The pipeline that all data sets of a config share.

    Raises:
        ValueError: If they have different ones.
    """
    pipelines = [one.get('pipeline') or [] for one in innermost_configs(config)]
    if any(pipeline != pipelines[0] for pipeline in pipelines):
        raise ValueError(f'the data sets that {_joining(config)["type"]} joins have different pipelines; give all the same one')
    return pipelines[0]


def inner_datasets(dataset: Any) -> list[Any]:
    """The data sets directly inside a wrapper; none in a data set itself."""
    joined = getattr(dataset, 'datasets', None)
    return list(joined) if joined else [dataset.dataset] if hasattr(dataset, 'dataset') else []


def innermost_datasets(dataset: Any) -> list[Any]:
    """The innermost data sets."""
    inner = inner_datasets(dataset)
    return [found for one in inner for found in innermost_datasets(one)] if inner else [dataset]


def labelled_datasets(dataset: Any) -> list[Any]:
    """The outermost data sets that know the labels of all their images; may be empty."""
    if hasattr(dataset, 'get_gt_labels'):
        return [dataset]
    return [found for one in inner_datasets(dataset) for found in labelled_datasets(one)]


def labels_of(dataset: Any) -> np.ndarray:
    """The class of each image of a data set with ``get_gt_labels``.

    Raises:
        ValueError: If an image has several.
    """
    try:
        labels = np.asarray(dataset.get_gt_labels())
    except ValueError:  # numpy's word for rows of different length
        labels = np.zeros((0, 0))
    if labels.ndim != 1:
        raise ValueError(f'{type(dataset).__name__} has several labels for an image (multi-label data); one class is needed')
    return labels


def build_cut(dataset: dict, cut: Callable[[Any], None]) -> Any:
    """Build a data set and reduce its innermost one before it is wrapped.

    Args:
        dataset: Config of a data set of mmpretrain, or of a wrapper that takes a built one, such as ``CoarseLabels``.
        cut: Removes images from the innermost data set, in place.

    Returns:
        The data set that ``dataset`` describes.

    Raises:
        TypeError: If a wrapper joins several data sets.
    """
    dataset = copy.deepcopy(dataset)
    owner: Any = None
    inner: Any = dataset
    while 'dataset' in inner:
        owner, inner = inner, inner['dataset']
    if inner.get('datasets'):
        raise TypeError(f'images can be chosen from a single data set, got {inner["type"]}; choose in those that it joins')
    built = HOST_DATASETS.build(inner)
    cut(built)
    if owner is None:
        return built
    owner['dataset'] = built
    return HOST_DATASETS.build(dataset)


def _joining(config: Any) -> Any:
    """The wrapper that joins several data sets."""
    while not config.get('datasets'):
        config = config['dataset']
    return config
