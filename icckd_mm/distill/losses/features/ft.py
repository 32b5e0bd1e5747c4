"""Factor transfer."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import factor_transfer_loss
from icckd_mm.registry import MODELS


@MODELS.register_module()
class FTLoss(FeatureLoss):
    """:func:`~icckd_mm.functional.factor_transfer_loss` with a weight, for translated and paraphrased maps.

    Args:
        loss_weight: At least 0; the benchmark's is 200.

    Raises:
        ValueError: If the weight is out of range.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        return factor_transfer_loss(student, teacher)
