"""Local regions of a feature map at several scales, and their weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from icckd_mm.functional.tensor.checks import check_bias, check_features, check_labels, check_map, check_same_device
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.functional.tensor.numerics import not_finite_marks, raised, without_autocast


def check_grids(grids: Sequence[int]) -> None:
    """Raise unless ``grids`` is a sequence of sides of at least 1.

    Raises:
        ValueError: If not; says what is wrong.
    """
    if not isinstance(grids, Sequence) or isinstance(grids, str) or not grids:
        raise ValueError(f'grids must be a sequence of sides, got {grids!r}; (1, 2, 4) is the default')
    for grid in grids:
        check_count('each of grids', grid)


def fitting_grids(grids: Sequence[int], *maps: Tensor) -> tuple[int, ...]:
    """Sides of the grids, clipped to the shortest side of all maps; each once, in the order given.

    Args:
        grids: Sides wanted.
        *maps: Maps ``(B, D, H, W)``, whose sizes may differ.

    Returns:
        Sides that every map can be pooled to.

    Raises:
        ValueError: If there is no grid, or a side is not an integer of at least 1.

    Example:
        >>> fitting_grids((1, 2, 4), torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 3, 5))
        (1, 2, 3)
    """
    check_grids(grids)
    shortest = min(side for features in maps for side in features.shape[2:])
    return tuple(dict.fromkeys(min(grid, shortest) for grid in grids))


def map_regions(features: Tensor, grids: Sequence[int]) -> Tensor:
    r"""Means of the map over the cells of each grid, :math:`g_r = \frac1{|r|}\sum_{x\in r} F(x)`.

    Args:
        features: Map ``(B, D, H, W)``, any float dtype; half types are raised to fp32.
        grids: Sides of the grids; a side of 4 gives 16 regions.

    Returns:
        Regions ``(B, R, D)``, grid after grid, row by row.

    Source: the split of SDD, CVPR 2024, for MSDCRD-style contrast (our definition).

    Example:
        >>> map_regions(torch.arange(4.0).view(1, 1, 2, 2), (1, 2)).flatten()
        tensor([1.5000, 0.0000, 1.0000, 2.0000, 3.0000])
    """
    features = raised(features)
    return torch.cat([F.adaptive_avg_pool2d(features, grid).flatten(2) for grid in grids], dim=2).transpose(1, 2)


def region_weights(teacher_map: Tensor, centers: Tensor, bias: Tensor, labels: Tensor, *, grids: Sequence[int]) -> Tensor:
    r"""Weight 2 if a region is classified correctly and the whole image is not, or the reverse; else 1.

    Args:
        teacher_map: The teacher's last map ``(B, D, H, W)``, which its classifier gets averaged.
        centers: Rows of the teacher's classifier ``(C, D)``.
        bias: Its bias ``(C,)``.
        labels: Classes ``(B,)``.
        grids: Sides of the grids.

    Returns:
        Weights :math:`\omega` ``(B, R)``, in at least fp32 and without gradient.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.

    Source: the rule of SDD, CVPR 2024; its use for MSDCRD-style contrast is our choice.

    Example:
        >>> corner = torch.tensor([[[[4.0, -1.0], [-1.0, -1.0]]]])  # right on the whole and in one corner of four
        >>> region_weights(corner, torch.tensor([[1.0], [-1.0]]), torch.zeros(2), torch.tensor([0]), grids=(1, 2))
        tensor([[1., 1., 2., 2., 2.]])
    """
    check_map('teacher_map', teacher_map)
    check_features('centers', centers, width=teacher_map.size(1))
    check_labels('labels', labels, teacher_map.size(0), num_classes=centers.size(0), like=teacher_map)
    check_bias('bias', bias, centers.size(0))
    check_same_device(teacher_map=teacher_map, centers=centers, bias=bias)
    with torch.no_grad(), without_autocast(teacher_map):
        regions = map_regions(teacher_map, (1, *fitting_grids(grids, teacher_map)))
        scores = regions @ centers.to(regions.dtype).T + bias.to(regions.dtype)
        return doubled_where_inconsistent(scores[:, 1:], scores[:, 0], labels)


def doubled_where_inconsistent(regions: Tensor, image: Tensor, labels: Tensor) -> Tensor:
    """Weight 2 where a classifier is right on the region and wrong on the image or the reverse, else 1.

    Args:
        regions: Logits of each region ``(B, R, C)``.
        image: Logits of the image ``(B, C)``.
        labels: Classes ``(B,)``.

    Returns:
        ``(B, R)``; NaN in rows of images with logits that are not finite.
    """
    right = regions.argmax(dim=2) == labels[:, None]
    differs = right != (image.argmax(dim=1) == labels)[:, None]
    return 1 + differs.to(torch.promote_types(regions.dtype, torch.float32)) + not_finite_marks(regions)[:, None]
