"""Angle-wise relational distillation in bounded memory."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from icckd_mm.distill.losses.relations.relational import RelationalLoss
from icckd_mm.functional.tensor.numerics import unit_rows
from icckd_mm.registry import MODELS

ELEMENTS = 2**19  # of the largest temporary, 2 MB in single precision; larger ones are no faster on a CPU


@MODELS.register_module()
class AngleWiseRKD(RelationalLoss):
    r"""Smooth L1 difference of the cosines of all angles :math:`\angle(x_i, x_j, x_k)` in a batch.

    Equal to mmrazor's, whose memory grows as :math:`B^3 + B^2 D`. Here a few corners :math:`j` are in memory at a
    time and the backward pass recomputes them. Two equal rows give a zero gradient, not one of size 1e11. A batch
    without three images has no angle and gives 0 with a zero gradient.

    Args:
        loss_weight: At least 0. Defaults to 50.0.
        with_l2_norm: Whether features are scaled to length 1 first. Defaults to True.

    Raises:
        ValueError: If the weight is out of range.

    Source: Park et al. 2019, arXiv 1904.05068.
    """

    fewest = 3

    def __init__(self, loss_weight: float = 50.0, with_l2_norm: bool = True) -> None:
        super().__init__(loss_weight, with_l2_norm)

    def difference(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Mean difference of the cosines, a few corners at a time."""
        B = student.size(0)
        corners = max(1, ELEMENTS // (B * max(B, student.size(1), teacher.size(1))))
        total = student.new_zeros(())
        for start in range(0, B, corners):
            total = total + checkpoint(corner_loss, student, teacher, start, start + corners, use_reentrant=False)
        return total / B**3


def corner_loss(student: Tensor, teacher: Tensor, start: int, stop: int) -> Tensor:
    """Sum of the differences of all angles at corners ``start`` to ``stop``."""
    return F.smooth_l1_loss(cosines(student, start, stop), cosines(teacher, start, stop), reduction='sum')


def cosines(x: Tensor, start: int, stop: int) -> Tensor:
    """Cosines ``(stop - start, B, B)`` of the angles at rows ``start`` to ``stop``."""
    edges = unit_rows(x[None] - x[start:stop, None])
    return torch.bmm(edges, edges.transpose(1, 2))
