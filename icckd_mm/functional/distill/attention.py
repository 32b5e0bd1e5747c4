"""Where a map is active, as attention and factor transfer compare it."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.numerics import unit_rows
from icckd_mm.functional.tensor.reductions import mean_of

from .pairs import at_common_places


def attention_transfer_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    r"""AT, the mean of :math:`(a_S - a_T)^2` over images and places, with :math:`a = \mathrm{unit}(\frac1C\sum_c x_c^2)`.

    Args:
        student_map: ``(B, C, H, W)``, any float dtype; half types are raised to fp32.
        teacher_map: ``(B, C', H', W')`` of the same images; the larger map is averaged to the size of the smaller.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a map is not floating-point.
        ValueError: If they are not maps of the same images on one device, or share a single place, where it is always 0.

    Source: Zagoruyko and Komodakis 2017, arXiv 1612.03928.

    Example:
        >>> attention_transfer_loss(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 2.0]]]]))
        tensor(1.)
    """
    student, teacher = at_common_places('AT', student_map, teacher_map)
    return mean_of((unit_attention(student) - unit_attention(teacher)).square())


def factor_transfer_loss(student_map: Tensor, teacher_map: Tensor) -> Tensor:
    r"""FT, the mean of :math:`\lvert a_S - a_T\rvert` of two factors, with :math:`a` as of :func:`attention_transfer_loss`.

    Args:
        student_map: Translated map of the student ``(B, C, H, W)``, any float dtype; half types are raised to fp32.
        teacher_map: Paraphrased map of the teacher ``(B, C', H', W')``; the larger of both is averaged.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a map is not floating-point.
        ValueError: If they are not maps of the same images on one device, or share a single place, where it is always 0.

    Source: Kim et al. 2018, arXiv 1802.04977, as in RepDistiller. mmrazor compares all entries of the unit factors instead,
    next to which the published weight of 200 counts for little.

    Example:
        >>> factor_transfer_loss(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 2.0]]]]))
        tensor(1.)
    """
    student, teacher = at_common_places('FT', student_map, teacher_map)
    return mean_of((unit_attention(student) - unit_attention(teacher)).abs())


def unit_attention(maps: Tensor) -> Tensor:
    r"""Rows :math:`\mathrm{unit}(\frac1C\sum_c x_c^2)` of maps ``(B, C, H, W)``: length 1, ``(B, H * W)``."""
    return unit_rows(maps.square().mean(dim=1).flatten(1))
