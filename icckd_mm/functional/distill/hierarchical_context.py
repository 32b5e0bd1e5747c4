"""Hierarchical context loss: maps compared as they are and averaged to ever smaller sizes."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from icckd_mm.functional.tensor.checks import check_map
from icckd_mm.functional.tensor.numerics import raised
from icckd_mm.functional.tensor.reductions import mean_of

from .pairs import check_same_shape

SIDES = (4, 2, 1)  # of the averaged maps, as published


def hierarchical_context_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    r"""HCL, :math:`\frac{\mathrm{MSE}(S, T) + \sum_l c_l\,\mathrm{MSE}(\mathrm{pool}_l S, \mathrm{pool}_l T)}{1 + \sum_l c_l}`.

    Sides :math:`l` are those of 4, 2 and 1 that are smaller than the map; in this order their weights :math:`c` are
    :math:`\frac12, \frac14, \frac18`.

    Args:
        student_map: ``(B, C, H, W)``, any float dtype; half types are raised to fp32.
        teacher_map: Same shape.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a map is not floating-point.
        ValueError: If they are not maps of one shape.

    Source: ReviewKD, Chen et al. 2021, arXiv 2104.09044, Sec. 3.3; sides and weights are those of its code.

    Example:
        >>> hierarchical_context_loss(torch.zeros(1, 2, 8, 8), torch.ones(1, 2, 8, 8))
        tensor(1.)
    """
    check_map('student_map', student_map)
    check_map('teacher_map', teacher_map)
    check_same_shape('HCL', student_map, teacher_map)
    difference = raised(student_map) - raised(teacher_map)  # averages of differences are differences of averages
    loss, weight, total = mean_of(difference.square()), 1.0, 1.0
    for side in SIDES:
        if side < min(difference.shape[2:]):
            weight /= 2
            loss = loss + weight * mean_of(F.adaptive_avg_pool2d(difference, side).square())
            total += weight
    return loss / total
