"""Wasserstein distillation of maps."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import gaussian_distance_loss
from icckd_mm.functional.tensor.number_checks import check_count, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class WKDFeatureLoss(FeatureLoss):
    r"""WKD-F: means and deviations of the last stage's maps, the student's behind a connector to the teacher's shape.

    Function: :func:`~icckd_mm.functional.gaussian_distance_loss`.

    Args:
        grid: Cells along a side. Defaults to 1.
        mean_ratio: Weight :math:`r` of the means. Defaults to 4.0.
        loss_weight: At least 0. Defaults to 0.1, our choice between the published values.

    Raises:
        ValueError: If an argument is out of range.

    Source: Lv et al. 2024, arXiv 2412.08139.
    """

    def __init__(self, grid: int = 1, mean_ratio: float = 4.0, loss_weight: float = 0.1) -> None:
        super().__init__(loss_weight)
        check_count('grid', grid)
        check_weight('mean_ratio', mean_ratio, 4.0)
        self.grid, self.mean_ratio = grid, mean_ratio

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        return gaussian_distance_loss(student, teacher, grid=self.grid, mean_ratio=self.mean_ratio)
