"""Activation boundaries."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional.distill.pairs import check_same_shape
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.functional.tensor.numerics import not_finite_marks, raised
from icckd_mm.functional.tensor.reductions import mean_of
from icckd_mm.registry import MODELS


@MODELS.register_module()
class ABLoss(FeatureLoss):
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
        super().__init__(loss_weight)
        check_weight('margin', margin)
        self.margin = margin

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight, of responses before the activation."""
        check_same_shape('ABLoss', student, teacher)
        student, active = raised(student), teacher > 0
        above, below = (student + self.margin).clamp_min(0), (self.margin - student).clamp_min(0)
        losses = (above.square() * ~active + below.square() * active).flatten(1).sum(dim=1) + not_finite_marks(teacher)
        return 3 / 1000 * mean_of(losses)
