"""Simple knowledge distillation: the student's projected map imitates what the teacher's classifier reads."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import projected_map_loss
from icckd_mm.registry import MODELS


@MODELS.register_module()
class SimKDLoss(FeatureLoss):
    """Mean squared difference of the output of ``neck.projector`` and the map that the teacher pools.

    For :class:`icckd_mm.ReusedClassifierDistill`. Function: :func:`~icckd_mm.functional.projected_map_loss`. The average of the
    teacher's map must be what its classifier reads, so record the input of ``neck.gap``.

    Args:
        loss_weight: At least 0. Defaults to 1.0, as published.

    Raises:
        ValueError: If the weight is out of range.

    Source: Chen et al. 2022, arXiv 2203.14001.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        return projected_map_loss(student, teacher)
