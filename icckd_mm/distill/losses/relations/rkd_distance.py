"""Distance-wise relational distillation of any batch."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from icckd_mm.distill.losses.relations.relational import RelationalLoss
from icckd_mm.registry import MODELS

SMALLEST = 1e-6  # as mmrazor bounds a distance


@MODELS.register_module()
class DistanceWiseRKD(RelationalLoss):
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

    fewest = 2

    def __init__(self, loss_weight: float = 25.0, with_l2_norm: bool = True) -> None:
        super().__init__(loss_weight, with_l2_norm)

    def difference(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Mean difference of the distances."""
        return F.smooth_l1_loss(relative_distances(student), relative_distances(teacher))


def relative_distances(x: Tensor) -> Tensor:
    """Distances ``(B, B)`` of all rows, divided by their mean over pairs."""
    # the product of matrices that torch would take for many rows cancels digits of near rows
    distances = torch.cdist(x, x, compute_mode='donot_use_mm_for_euclid_dist')
    return distances / (distances.sum() / (len(x) * (len(x) - 1))).clamp_min(SMALLEST)
