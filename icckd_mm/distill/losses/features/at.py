"""Attention transfer."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import attention_transfer_loss
from icckd_mm.registry import MODELS


@MODELS.register_module()
class ATLoss(FeatureLoss):
    """Mean squared difference of unit attention maps: :func:`~icckd_mm.functional.attention_transfer_loss`.

    Channels may differ. Maps of different size are pooled to the smaller one, as the method's authors do; mmrazor's broadcasts
    maps of one position and fails on others. Maps of one position carry no attention and are refused.

    Args:
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If the weight is out of range.

    Source: Zagoruyko and Komodakis 2017, arXiv 1612.03928.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        return attention_transfer_loss(student, teacher)
