"""Where a map is active, as attention and factor transfer compare it."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from icckd_mm.functional.tensor.numerics import raised, unit_rows


def unit_attention(maps: Tensor, size: tuple[int, int]) -> Tensor:
    r""":math:`\mathrm{unit}(\frac1C\sum_c x_c^2)` of each map.

    Args:
        maps: ``(B, C, H, W)``.
        size: Height and width that the maps are pooled to first.

    Returns:
        Rows of length 1, ``(B, H * W)`` of ``size``.

    Source: Zagoruyko and Komodakis 2017, arXiv 1612.03928.

    Example:
        >>> unit_attention(torch.tensor([[[[3.0, 0.0]], [[0.0, 3.0]]]]), (1, 2))
        tensor([[0.7071, 0.7071]])
    """
    return unit_rows(F.adaptive_avg_pool2d(raised(maps), size).pow(2).mean(dim=1).flatten(1))


def factor_transfer_loss(student: Tensor, teacher: Tensor) -> Tensor:
    r"""Mean absolute difference of the unit attention of two factors.

    Args:
        student: Translated maps of the student ``(B, C, H, W)``.
        teacher: Paraphrased maps of the teacher ``(B, C', H', W')``; the larger of both is pooled.

    Returns:
        A scalar.

    Source: Kim et al. 2018, arXiv 1802.04977, as in RepDistiller. mmrazor compares all entries of the unit factors instead,
    next to which the published weight of 200 counts for little.

    Example:
        >>> factor_transfer_loss(torch.tensor([[[[1.0, 0.0]]]]), torch.tensor([[[[0.0, 2.0]]]]))
        tensor(1.)
    """
    size = min(student.size(2), teacher.size(2)), min(student.size(3), teacher.size(3))
    return (unit_attention(student, size) - unit_attention(teacher, size)).abs().mean()
