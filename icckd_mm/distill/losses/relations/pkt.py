"""Probabilistic knowledge transfer."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import probabilistic_transfer_loss
from icckd_mm.registry import MODELS


@MODELS.register_module()
class PKTLoss(FeatureLoss):
    """Divergence of the neighbours in a batch, by pooled features.

    Function: :func:`~icckd_mm.functional.probabilistic_transfer_loss`.

    Args:
        loss_weight: At least 0. Defaults to 30000.0, as in the benchmark.

    Raises:
        ValueError: If the weight is out of range.

    Source: Passalis and Tefas 2018, arXiv 1803.10837.
    """

    def __init__(self, loss_weight: float = 30000.0) -> None:
        super().__init__(loss_weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        return probabilistic_transfer_loss(student, teacher)
