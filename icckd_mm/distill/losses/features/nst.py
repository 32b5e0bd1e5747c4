"""Neuron selectivity transfer."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import neuron_selectivity_loss
from icckd_mm.registry import MODELS


@MODELS.register_module()
class NSTLoss(FeatureLoss):
    """Discrepancy of where channels respond, for one stage.

    Function: :func:`~icckd_mm.functional.neuron_selectivity_loss`.

    Args:
        loss_weight: At least 0. Defaults to 50.0, as in the benchmark.

    Raises:
        ValueError: If the weight is out of range.

    Source: Huang and Wang 2017, arXiv 1707.01219.
    """

    def __init__(self, loss_weight: float = 50.0) -> None:
        super().__init__(loss_weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        return neuron_selectivity_loss(student, teacher)
