"""Takes an evenly spread subset of a data set whose files are sorted by class."""

from __future__ import annotations

from typing import Any

from icckd_mm.datasets.wrappers.nesting import build_cut
from icckd_mm.registry import DATASETS


@DATASETS.register_module()  # plans may also name the function by its path
def even_subset(dataset: dict, images: int) -> Any:
    """Build a data set with ``images`` of its images, spread evenly over their order.

    For folders of images, Tiny-ImageNet and ImageNet, which are sorted by class: the first N images would be those of the
    first classes. Here every class keeps its share, and so does every fine class under coarse labels. The choice depends
    only on the two numbers. It is made in the innermost data set, so that ``sample_idx`` counts from 0 to ``images - 1``.

    Args:
        dataset: Config of a data set of mmpretrain, or of a wrapper such as :class:`CoarseLabels` around one.
        images: Number of images of the innermost data set.

    Returns:
        The data set that ``dataset`` describes, with its class.

    Raises:
        ValueError: If there are fewer images.

    Example:
        >>> len(even_subset(dict(type='icckd_mm.Digits'), images=100))
        100
    """

    def cut(inner: Any) -> None:
        inner.full_init()
        inner.get_subset_(spread(len(inner), images))

    return build_cut(dataset, cut)


def spread(total: int, chosen: int) -> list[int]:
    """``chosen`` of the numbers from 0 to ``total - 1``, at equal distances.

    Raises:
        ValueError: If ``chosen`` is not a whole number from 1 to ``total``.

    Example:
        >>> spread(10, 4)
        [0, 2, 5, 7]
    """
    if type(chosen) is not int or not 1 <= chosen <= total:
        raise ValueError(f'images must be a whole number from 1 to {total}, the number of its images, got {chosen!r}')
    return [index * total // chosen for index in range(chosen)]
