"""Correlation congruence."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import correlation_congruence_loss
from icckd_mm.registry import MODELS


@MODELS.register_module()
class CCLoss(FeatureLoss):
    """Differences of neighbours in a batch.

    Function: :func:`~icckd_mm.functional.correlation_congruence_loss`.
    Both networks' pooled features pass a linear connector of 128 outputs first, and both connectors are trained; nothing keeps
    the embeddings from shrinking, as in the benchmark's code.

    Args:
        loss_weight: At least 0. Defaults to 0.02, as in the benchmark.

    Raises:
        ValueError: If the weight is out of range.

    Source: Peng et al. 2019, arXiv 1904.01802.
    """

    def __init__(self, loss_weight: float = 0.02) -> None:
        super().__init__(loss_weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        return correlation_congruence_loss(student, teacher)
