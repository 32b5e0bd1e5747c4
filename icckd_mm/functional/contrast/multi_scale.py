"""The multi-scale contrastive loss: local regions of student and teacher, across images and within each image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_map, check_same_device
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.functional.tensor.numerics import unit_rows, without_autocast

from .multi_scale_regions import fitting_grids, map_regions


def multi_scale_contrastive_loss(
    student_map: Tensor,
    teacher_map: Tensor,
    *,
    grids: Sequence[int] = (1, 2, 4),
    temperature: float = 0.1,
    weights: Tensor | None = None,
    sample_weight: float = 1.0,
    feature_weight: float = 1.0,
) -> Tensor:
    r"""MSDCRD-style contrast, our definition: :math:`a\,L_{samp} + b\,L_{feat}` over ``R`` regions of several scales.

    .. math:: L_{samp} = -\frac1{BR}\sum_{i,r}\omega_{i,r}\log\frac{e^{\hat g^S_{i,r}\cdot\hat g^T_{i,r}/\tau}}
        {\sum_{j=1}^{B} e^{\hat g^S_{i,r}\cdot\hat g^T_{j,r}/\tau}}, \qquad
        L_{feat} = -\frac1{BR}\sum_{i,r}\omega_{i,r}\log\frac{e^{\hat g^S_{i,r}\cdot\hat g^T_{i,r}/\tau}}
        {\sum_{q\in\mathcal S(r)} e^{\hat g^S_{i,r}\cdot\hat g^T_{i,q}/\tau}}

    with :math:`g_{i,r}` the mean of region r and :math:`\mathcal S(r)` the regions of its scale; a scale of one region adds
    nothing to :math:`L_{feat}`. Both maps are pooled to the same grids, clipped to the shorter side, so their sizes may
    differ. Half types are raised to fp32, autocast is off inside. Gradient reaches the student alone.

    Args:
        student_map: ``(B, D, H, W)``, any float dtype.
        teacher_map: ``(B, D, H', W')`` of the same images.
        grids: Sides of the grids. Defaults to (1, 2, 4), 21 regions.
        temperature: :math:`\tau > 0`. Defaults to 0.1.
        weights: :math:`\omega` ``(B, R)``, see :func:`region_weights`. Defaults to None, all 1.
        sample_weight: :math:`a \ge 0`. Defaults to 1.0.
        feature_weight: :math:`b \ge 0`. Defaults to 1.0.

    Returns:
        The loss, a scalar of at least 0; 0 with a gradient path for an empty batch.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: the idea is that of MSDCRD, Wang et al., arXiv 2502.05835; no equation, scale or value of it is known to us, all of
    them are our choice, so a result of this loss says nothing about that paper.

    Example:
        >>> ones = torch.ones(3, 8, 4, 4)  # log 3 across images, (4 log 4 + 16 log 16) / 21 within
        >>> multi_scale_contrastive_loss(ones, ones, feature_weight=0.0), multi_scale_contrastive_loss(ones, ones)
        (tensor(1.0986), tensor(3.4751))
    """
    check_positive('temperature', temperature, 0.1)
    check_weight('sample_weight', sample_weight, 1.0)
    check_weight('feature_weight', feature_weight, 1.0)
    check_map('student_map', student_map)
    check_map('teacher_map', teacher_map)
    if student_map.shape[:2] != teacher_map.shape[:2]:
        raise ValueError(
            f'the maps must agree in batch and width, got {tuple(student_map.shape)} and {tuple(teacher_map.shape)}; '
            'bridge different widths with a connector: 1x1 convolution and batch norm'
        )
    grids = fitting_grids(grids, student_map, teacher_map)
    regions = (student_map.size(0), sum(grid * grid for grid in grids))
    if weights is not None and weights.shape != regions:
        raise ValueError(f'weights must have shape (B, R) = {regions}, got {tuple(weights.shape)}')
    check_same_device(student_map=student_map, teacher_map=teacher_map, weights=weights)
    with without_autocast(student_map):
        student = unit_rows(map_regions(student_map, grids))
        teacher = unit_rows(map_regions(teacher_map.detach(), grids)).to(student.dtype)
        losses = sample_weight * _contrast(student.transpose(0, 1), teacher.transpose(0, 1), temperature).T
        scales = [grid * grid for grid in grids]
        within = [_contrast(s, t, temperature) for s, t in zip(student.split(scales, dim=1), teacher.split(scales, dim=1))]
        losses = losses + feature_weight * torch.cat(within, dim=1)
        if weights is not None:
            losses = losses * weights.to(losses.dtype)
        return losses.sum() / max(losses.numel(), 1)


def _contrast(anchors: Tensor, candidates: Tensor, temperature: float) -> Tensor:
    """InfoNCE within each group: ``(G, N, D)`` against ``(G, N, D)``, the positive at the same index; ``(G, N)``."""
    products = anchors @ candidates.transpose(1, 2) / temperature
    return products.logsumexp(dim=2) - products.diagonal(dim1=1, dim2=2)
