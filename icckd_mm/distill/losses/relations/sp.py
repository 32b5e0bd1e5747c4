"""Similarity-preserving distillation."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import similarity_preserving_loss
from icckd_mm.registry import MODELS


@MODELS.register_module()
class SPLoss(FeatureLoss):
    """Difference of the similarities in a batch, by maps of the last stage.

    Function: :func:`~icckd_mm.functional.similarity_preserving_loss`.

    Args:
        loss_weight: At least 0. Defaults to 3000.0, as in the benchmark.

    Raises:
        ValueError: If the weight is out of range.

    Source: Tung and Mori 2019, arXiv 1907.09682.
    """

    def __init__(self, loss_weight: float = 3000.0) -> None:
        super().__init__(loss_weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        return similarity_preserving_loss(student, teacher)
