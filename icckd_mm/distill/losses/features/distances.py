"""Distances of features, element by element."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from icckd_mm.distill.checks import check_same_shape
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.functional.tensor.numerics import raised, unit_rows
from icckd_mm.registry import MODELS


@MODELS.register_module()
class L1Loss(nn.Module):
    """Mean absolute difference; refuses maps of different size, which mmrazor's broadcasts.

    Args:
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If the weight is out of range.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        self.loss_weight = loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compare the features.

        Args:
            s_feature: Features of the student ``(B, C)`` or ``(B, C, H, W)``.
            t_feature: Features of the teacher; ``(B, C, 1, 1)`` counts as ``(B, C)``.

        Returns:
            A scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        student, teacher = pooled(s_feature), pooled(t_feature)
        check_same_shape('L1Loss', student, teacher)
        return self.loss_weight * (student - teacher).abs().mean()


@MODELS.register_module()
class L2Loss(nn.Module):
    """Squared difference, summed over features and averaged over images, or the distance itself.

    mmrazor's compares pooled maps ``(B, C, 1, 1)`` with rows ``(B, C)`` in all pairs (its BYOT config does), and gives NaN for
    a zero row. Here a map of one position counts as a row, and a zero row stays zero.

    Args:
        normalize: Whether each image's features are scaled to length ``mult`` first. Defaults to True.
        mult: That length. Defaults to 1.0.
        div_element: Whether to average over all elements instead of images. Defaults to False.
        dist: Whether to take the root of the sum over the batch instead; not averaged. Defaults to False.
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
        super().__init__()
        check_weight('mult', mult)
        check_weight('loss_weight', loss_weight)
        self.normalize, self.mult, self.div_element, self.dist = normalize, mult, div_element, dist
        self.loss_weight = loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compare the features.

        Args:
            s_feature: Features of the student ``(B, C)`` or ``(B, C, H, W)``.
            t_feature: Features of the teacher; ``(B, C, 1, 1)`` counts as ``(B, C)``.

        Returns:
            A scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        student, teacher = pooled(s_feature), pooled(t_feature)
        check_same_shape('L2Loss', student, teacher)
        if self.normalize:
            student, teacher = (unit_rows(x.flatten(1)) * self.mult for x in (student, teacher))
        difference = student - teacher
        if self.dist:
            return self.loss_weight * torch.linalg.vector_norm(difference)  # its gradient at 0 is 0, that of a root is not
        count = difference.numel() if self.div_element else difference.size(0)
        return self.loss_weight * difference.square().sum() / max(count, 1)


def pooled(features: Tensor) -> Tensor:
    """Maps of one position as rows, in at least single precision; anything else unchanged."""
    return raised(features.flatten(1) if features.ndim == 4 and features.shape[2:] == (1, 1) else features)
