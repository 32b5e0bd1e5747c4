"""What losses between two features share."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional.tensor.number_checks import check_weight


class FeatureLoss(nn.Module):
    """A function of a student's and a teacher's features times a weight.

    Args:
        loss_weight: At least 0.

    Raises:
        ValueError: If the weight is out of range.
    """

    def __init__(self, loss_weight: float) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        self.loss_weight = loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compare the features.

        Args:
            s_feature: Features of the student.
            t_feature: Features of the teacher.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor is not floating-point.
            ValueError: If the features do not fit.
        """
        return self.loss_weight * self.compare(s_feature, t_feature)

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        raise NotImplementedError
