"""Angle-wise relational distillation in bounded memory."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from icckd_mm.functional.number_checks import check_weight
from icckd_mm.functional.numerics import raised, unit_rows, without_autocast
from icckd_mm.registry import MODELS

ELEMENTS = 2**19  # of the largest temporary, 2 MB in single precision; larger ones are no faster on a CPU


@MODELS.register_module()
class AngleWiseRKD(nn.Module):
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

    def __init__(self, loss_weight: float = 50.0, with_l2_norm: bool = True) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        self.loss_weight, self.with_l2_norm = loss_weight, with_l2_norm

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the angles.

        Args:
            preds_S: Features of the student ``(B, D)`` or maps.
            preds_T: Features of the teacher ``(B, D')`` or maps.

        Returns:
            A scalar.

        Raises:
            ValueError: If the batches differ.
        """
        B = preds_S.size(0)
        if preds_T.size(0) != B:
            raise ValueError(f'AngleWiseRKD needs the same images, got {B} and {preds_T.size(0)}')
        student, teacher = (raised(x).flatten(1) for x in (preds_S, preds_T))
        if B < 3:  # the last batch of an epoch may be as small
            return 0 * student.sum()
        with without_autocast(student):
            if self.with_l2_norm:
                student, teacher = unit_rows(student), unit_rows(teacher)
            corners = max(1, ELEMENTS // (B * max(B, student.size(1), teacher.size(1))))
            total = student.new_zeros(())
            for start in range(0, B, corners):
                total = total + checkpoint(corner_loss, student, teacher, start, start + corners, use_reentrant=False)
        return self.loss_weight * total / B**3


def corner_loss(student: Tensor, teacher: Tensor, start: int, stop: int) -> Tensor:
    """Sum of the differences of all angles at corners ``start`` to ``stop``."""
    return F.smooth_l1_loss(cosines(student, start, stop), cosines(teacher, start, stop), reduction='sum')


def cosines(x: Tensor, start: int, stop: int) -> Tensor:
    """Cosines ``(stop - start, B, B)`` of the angles at rows ``start`` to ``stop``."""
    edges = unit_rows(x[None] - x[start:stop, None])
    return torch.bmm(edges, edges.transpose(1, 2))
