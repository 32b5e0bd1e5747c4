"""Distances of features, element by element."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional.distill.pairs import check_images, check_same_shape
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.functional.tensor.numerics import raised, unit_rows
from icckd_mm.functional.tensor.reductions import mean_of
from icckd_mm.registry import MODELS


@MODELS.register_module()
class L1Loss(FeatureLoss):
    """Mean absolute difference; refuses maps of different size, which mmrazor's broadcasts.

    Args:
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If the weight is out of range.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__(loss_weight)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight, of features ``(B, C)`` or maps; a map of one position counts as a row."""
        student, teacher = as_pair('L1Loss', student, teacher)
        return mean_of((student - teacher).abs())


@MODELS.register_module()
class L2Loss(FeatureLoss):
    """Squared difference, summed over features and averaged over images, or the distance itself.

    mmrazor's compares pooled maps ``(B, C, 1, 1)`` with rows ``(B, C)`` in all pairs (its BYOT config does), and gives NaN for
    a zero row. Here a map of one position counts as a row, and a zero row stays zero.

    Args:
        normalize: Whether each image's features are scaled to length ``mult`` first. Defaults to True.
        mult: That length. Defaults to 1.0.
        div_element: Whether to average over all elements instead of images. Defaults to False.
        dist: Whether to take the root of the sum over the batch instead, without any average. Defaults to False.
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If a weight is out of range.
    """

    def __init__(
        self,
        normalize: bool = True,
        mult: float = 1.0,
        div_element: bool = False,
        dist: bool = False,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(loss_weight)
        check_weight('mult', mult)
        self.normalize, self.mult, self.div_element, self.dist = normalize, mult, div_element, dist

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight, of features ``(B, C)`` or maps; a map of one position counts as a row."""
        student, teacher = as_pair('L2Loss', student, teacher)
        if self.normalize:
            student, teacher = (unit_rows(x.flatten(1)) * self.mult for x in (student, teacher))
        difference = student - teacher
        if self.dist:
            return torch.linalg.vector_norm(difference)  # its gradient at 0 is 0, that of a root is not
        count = difference.numel() if self.div_element else difference.size(0)
        return difference.square().sum() / max(count, 1)


def as_pair(loss: str, student: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """Both features in at least single precision and of one shape, maps of one position as rows."""
    check_images(student, teacher)
    rows, targets = (raised(x.flatten(1) if x.shape[2:] == (1, 1) else x) for x in (student, teacher))
    check_same_shape(loss, rows, targets)
    return rows, targets
