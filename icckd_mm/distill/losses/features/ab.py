"""Activation boundaries."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.distill.checks import check_same_shape
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.functional.tensor.numerics import raised
from icckd_mm.registry import MODELS


@MODELS.register_module()
class ABLoss(nn.Module):
    r"""Squared distance of the student to the right side of a margin :math:`m`, which the teacher's sign selects.

    .. math:: L = \lambda\,\frac{3}{1000\,B} \sum (s + m)_+^2\,[t \le 0] + (m - s)_+^2\,[t > 0]

    Equal to mmrazor's for equal shapes; mmrazor's does not check them.

    Args:
        margin: :math:`m`, at least 0. Defaults to 1.0.
        loss_weight: :math:`\lambda \ge 0`. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Heo et al. 2019, arXiv 1811.03233; the factor 3/1000 is mmrazor's.
    """

    def __init__(self, margin: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_weight('margin', margin)
        check_weight('loss_weight', loss_weight)
        self.margin, self.loss_weight = margin, loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compare responses before the activation.

        Args:
            s_feature: Responses of the student ``(B, ...)``.
            t_feature: Responses of the teacher, same shape.

        Returns:
            A scalar.

        Raises:
            ValueError: If the shapes differ.
        """
        check_same_shape('ABLoss', s_feature, t_feature)
        student, active = raised(s_feature), t_feature > 0
        above, below = (student + self.margin).clamp_min(0), (self.margin - student).clamp_min(0)
        losses = (above.square() * ~active + below.square() * active).sum()
        return self.loss_weight * losses * 3 / 1000 / max(s_feature.size(0), 1)
