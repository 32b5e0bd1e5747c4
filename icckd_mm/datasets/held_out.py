"""Splits a training set into a training part and a held-out part for tuning."""

from __future__ import annotations

from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset

from icckd_mm.datasets.wrappers.nesting import build_cut
from icckd_mm.registry import DATASETS


@DATASETS.register_module()  # plans may also name the function by its path
def held_out_part(dataset: dict, fraction: float, seed: int = 0, held_out: bool = False) -> Any:
    """One of the two parts of a data set; ``icckd_mm.held_out_part`` is a ``type``.

    The images of each class are split at random, by the seed only, and keep their order in each part. Of each class the
    rounded ``fraction`` is held out, at least one image, and at least one remains.

    Args:
        dataset: Config of a data set of mmengine or mmpretrain with one label per image, or of ``ClassMap`` or
            ``CoarseLabels`` around one; then its fine classes are split.
        fraction: Share of the images that is held out, in (0, 1).
        seed: Seed of the split. Defaults to 0.
        held_out: Whether to return the held-out part or the rest. Defaults to False.

    Returns:
        The part of the data set that ``dataset`` describes.

    Raises:
        TypeError: If ``dataset`` joins several data sets, or does not have one label per image.
        ValueError: If ``fraction`` is out of range, or a class has a single image.

    Example:
        >>> digits = dict(type='icckd_mm.Digits')
        >>> [len(held_out_part(digits, 0.1, held_out=part)) for part in (False, True)]
        [1295, 142]
    """

    def cut(inner: Any) -> None:
        if not isinstance(inner, BaseDataset):
            raise TypeError(f'images can be held out from a single data set, got {type(inner).__name__}')
        labels = _labels(inner)
        taken = np.zeros(len(labels), dtype=bool)
        taken[held_out_rows(labels, fraction, seed)] = True
        inner.get_subset_(np.flatnonzero(taken == held_out).tolist())

    return build_cut(dataset, cut)


def held_out_rows(labels: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Indices of the held-out images.

    Args:
        labels: Class of each image ``(N,)``.
        fraction: In (0, 1).
        seed: Seed.

    Returns:
        Sorted indices.

    Raises:
        ValueError: See :func:`held_out_part`.
    """
    if not 0 < fraction < 1:
        raise ValueError(f'the held-out share must lie between 0 and 1, got {fraction!r}; 0.1 is common')
    generator = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        rows = generator.permutation(np.flatnonzero(labels == label))
        if len(rows) < 2:
            raise ValueError(
                f'class {label} has {len(rows)} image, of which none can be held out; give each class two images or more'
            )
        chosen.append(rows[: min(max(1, round(fraction * len(rows))), len(rows) - 1)])
    return np.sort(np.concatenate(chosen))


def _labels(dataset: Any) -> np.ndarray:
    try:
        classes = [dataset.get_cat_ids(index) for index in range(len(dataset))]
    except (NotImplementedError, KeyError) as error:
        raise TypeError(f'{type(dataset).__name__} does not know the classes of its images, {error!r}') from None
    if not all(len(one) == 1 for one in classes):
        raise TypeError(f'{type(dataset).__name__} has images with several classes or none; each needs one')
    return np.array([one[0] for one in classes])
