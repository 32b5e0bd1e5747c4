"""Leaves the images of some classes out of a data set that keeps its list of classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from icckd_mm.datasets.wrappers.nesting import build_cut
from icckd_mm.registry import DATASETS


@DATASETS.register_module()  # plans may also name the function by its path
def without_classes(dataset: dict, classes: Sequence[str]) -> Any:
    """Build a data set without the images of some classes; labels and names of all classes stay.

    For a student that is to learn a class from its teacher alone. ``ClassMap`` would number the other classes again.

    Args:
        dataset: Config of a data set of mmpretrain, or of a wrapper such as :class:`CoarseLabels` around one.
        classes: Names of the classes in the innermost data set, at least one, not all.

    Returns:
        The data set that ``dataset`` describes, with its class.

    Raises:
        ValueError: If a class is unknown, none is named, or no image remains.

    Example:
        >>> part = without_classes(dict(type='icckd_mm.Digits'), classes=['7'])
        >>> len(part.metainfo['classes']), sorted(set(part.get_gt_labels().tolist()))
        (10, [0, 1, 2, 3, 4, 5, 6, 8, 9])
    """

    def cut(inner: Any) -> None:
        inner.full_init()
        known = list(inner.metainfo['classes'])
        unknown = [name for name in classes if name not in known]
        if isinstance(classes, str) or unknown or not classes:
            raise ValueError(f'classes must be a list of some of {known[:10]!r}, got {classes!r}')
        kept = np.flatnonzero(~np.isin(inner.get_gt_labels(), [known.index(name) for name in classes]))
        if not len(kept):
            raise ValueError(f'no image remains without the classes {list(classes)[:10]!r}; leave out fewer')
        inner.get_subset_(kept.tolist())

    return build_cut(dataset, cut)
