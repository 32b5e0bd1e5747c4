"""Squared distance of maps of one width and any size."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.reductions import mean_of

from .pairs import at_common_size


def projected_map_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    r"""SimKD, :math:`\mathrm{MSE}(g(A_S F^S), A_T F^T)`: the mean over all entries, at the size of the smaller map.

    Args:
        student_map: Projected map :math:`g(A_S F^S)` ``(B, C, H, W)``, any float dtype; half types are raised to fp32.
        teacher_map: ``(B, C, H', W')`` of the same images.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a map is not floating-point.
        ValueError: If they are not maps of one width, of the same images, on one device.

    Source: Chen et al. 2022, arXiv 2203.14001, Eq. 4.

    Example:
        >>> projected_map_loss(torch.zeros(1, 2, 2, 2), torch.ones(1, 2, 4, 4))
        tensor(1.)
    """
    student, teacher = at_common_size(student_map, teacher_map)
    if student.size(1) != teacher.size(1):
        raise ValueError(
            f'the projected map must have the width of the teacher, got {tuple(student_map.shape)} and '
            f'{tuple(teacher_map.shape)}; set teacher_channels of the SimKDNeck to {teacher_map.size(1)}'
        )
    return mean_of((student - teacher).square())
