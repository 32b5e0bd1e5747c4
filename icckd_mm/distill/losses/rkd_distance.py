"""Distance-wise relational distillation of any batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icckd_mm.functional.number_checks import check_weight
from icckd_mm.functional.numerics import raised, unit_rows, without_autocast
from icckd_mm.registry import MODELS

SMALLEST = 1e-6  # as mmrazor bounds a distance


@MODELS.register_module()
class DistanceWiseRKD(nn.Module):
    r"""Smooth L1 difference of all distances in a batch, each divided by the mean of its network.

    The value of mmrazor's, which is NaN for a batch of one image, such as the last of an epoch. A batch without a pair gives 0
    with a zero gradient here.

    Args:
        loss_weight: At least 0. Defaults to 25.0.
        with_l2_norm: Whether features are scaled to length 1 first. Defaults to True.

    Raises:
        ValueError: If the weight is out of range.

    Source: Park et al. 2019, arXiv 1904.05068.
    """

    def __init__(self, loss_weight: float = 25.0, with_l2_norm: bool = True) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        self.loss_weight, self.with_l2_norm = loss_weight, with_l2_norm

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the distances.

        Args:
            preds_S: Features of the student ``(B, D)`` or maps.
            preds_T: Features of the teacher ``(B, D')`` or maps.

        Returns:
            A scalar.

        Raises:
            ValueError: If the batches differ.
        """
        if preds_T.size(0) != preds_S.size(0):
            raise ValueError(f'DistanceWiseRKD needs the same images, got {preds_S.size(0)} and {preds_T.size(0)}')
        student, teacher = (raised(x).flatten(1) for x in (preds_S, preds_T))
        if len(student) < 2:
            return 0 * student.sum()
        with without_autocast(student):
            if self.with_l2_norm:
                student, teacher = unit_rows(student), unit_rows(teacher)
            return self.loss_weight * F.smooth_l1_loss(relative_distances(student), relative_distances(teacher))


def relative_distances(x: Tensor) -> Tensor:
    """Distances ``(B, B)`` of all rows, divided by their mean over pairs."""
    # the product of matrices that torch would take for many rows cancels digits of near rows
    distances = torch.cdist(x, x, compute_mode='donot_use_mm_for_euclid_dist')
    return distances / (distances.sum() / (len(x) * (len(x) - 1))).clamp_min(SMALLEST)
