"""Scale-decoupled distillation: the logits of regions of the last map."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from icckd_mm.functional.contrast.multi_scale_regions import check_grids, doubled_where_inconsistent, map_regions
from icckd_mm.functional.tensor.checks import (
    check_bias,
    check_features,
    check_floating,
    check_labels,
    check_map,
    check_same_device,
)
from icckd_mm.functional.tensor.numerics import raised, without_autocast

PLACES = 4  # side of the finest grid; coarser regions are averages of it


def check_scales(grids: Sequence[int]) -> None:
    """Raise unless ``grids`` are sides that divide the finest grid of 4x4.

    Raises:
        ValueError: If not; says what is allowed.
    """
    check_grids(grids)
    if any(PLACES % grid for grid in grids) or len(set(grids)) < len(grids):
        raise ValueError(f'grids must be different sides of 1, 2 and {PLACES}, got {tuple(grids)}')


def region_logits(maps: Tensor, weight: Tensor, bias: Tensor, *, grids: Sequence[int] = (1, 2, 4)) -> Tensor:
    r"""What a network's own classifier says of regions of its last map: :math:`z_r = W g_r + b`, with :math:`g_r` their means.

    The map is averaged to 4x4 places, the classifier applied to these 16, and their logits averaged for the coarser
    regions: a linear layer commutes with averaging. A smaller map is repeated to 4x4, as published.

    Args:
        maps: Last map ``(B, D, H, W)``, any float dtype; half types are raised to fp32.
        weight: Rows of the classifier ``(C, D)``.
        bias: Its bias ``(C,)``.
        grids: Sides of the grids, of 1, 2 and 4. Defaults to (1, 2, 4): 21 regions.

    Returns:
        Logits ``(B, R, C)``, grid after grid, row by row.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: SDD, Wei et al., CVPR 2024, arXiv 2403.13512; logits instead of features averaged is our choice, for the same value.

    Example:
        >>> maps = torch.arange(16.0).view(1, 1, 4, 4)
        >>> region_logits(maps, torch.ones(1, 1), torch.zeros(1), grids=(1, 2)).flatten()
        tensor([ 7.5000,  2.5000,  4.5000, 10.5000, 12.5000])
    """
    check_scales(grids)
    check_map('maps', maps)
    check_features('weight', weight, width=maps.size(1))
    check_bias('bias', bias, weight.size(0))
    check_same_device(maps=maps, weight=weight, bias=bias)
    with without_autocast(maps):
        places = map_regions(maps, (PLACES,))
        logits = F.linear(places, raised(weight).to(places.dtype), raised(bias).to(places.dtype))
        return map_regions(logits.transpose(1, 2).unflatten(2, (PLACES, PLACES)), grids)


def consistency_weights(logits: Tensor, labels: Tensor, *, grids: Sequence[int] = (1, 2, 4)) -> Tensor:
    r"""Weight 2 where the teacher is right on the region and wrong on the image or the reverse, else 1.

    Args:
        logits: The teacher's of each region ``(B, R, C)``, of :func:`region_logits`.
        labels: Classes ``(B,)``.
        grids: Sides of the grids of the regions, of 1, 2 and 4; the last regions are those of the last grid. Defaults to
            (1, 2, 4).

    Returns:
        Weights :math:`\omega` ``(B, R)``, without gradient.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.

    Source: SDD, Wei et al., CVPR 2024, arXiv 2403.13512.

    Example:
        >>> logits = torch.tensor([[[1.0, 0.0], [3.0, 0.0], [0.0, 1.0], [0.0, 1.0], [3.0, 0.0]]])
        >>> consistency_weights(logits, torch.tensor([0]), grids=(1, 2))
        tensor([[1., 1., 2., 2., 1.]])
    """
    check_scales(grids)
    check_floating('logits', logits, ' (B, R, C)')
    if logits.ndim != 3 or logits.size(1) != sum(grid * grid for grid in grids):
        raise ValueError(
            f'logits must have shape (B, R, C) with the regions of grids {tuple(grids)}, got {tuple(logits.shape)}'
        )
    check_labels('labels', labels, logits.size(0), num_classes=logits.size(2), like=logits)
    image = logits[:, -(grids[-1] ** 2) :].mean(dim=1)  # regions of one grid have one size
    return doubled_where_inconsistent(logits, image, labels)
