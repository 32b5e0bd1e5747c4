"""Cross-entropy to the teacher's soft labels."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional.tensor.checks import check_pairs
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.functional.tensor.numerics import not_finite_marks, raised
from icckd_mm.functional.tensor.reductions import mean_of
from icckd_mm.registry import MODELS


@MODELS.register_module()
class KDSoftCELoss(nn.Module):
    r"""Soft labels of Hinton et al. as cross-entropy: :math:`-\lambda\,\tau^2\,\frac1B\sum_{i,c} p^T_{ic} \log p^S_{ic}`.

    It differs from the KL by the teacher's entropy, so the gradient is the same. mmrazor's calls a function of mmcls, which
    cannot be installed with current packages.

    Args:
        tau: Temperature above 0. Defaults to 1.0.
        mult_tem_square: Whether to multiply by :math:`\tau^2`. Defaults to True.
        loss_weight: :math:`\lambda \ge 0`. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Hinton et al. 2015, arXiv 1503.02531.
    """

    def __init__(self, tau: float = 1.0, mult_tem_square: bool = True, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_positive('tau', tau)
        check_weight('loss_weight', loss_weight)
        self.tau, self.mult_tem_square, self.loss_weight = tau, mult_tem_square, loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the logits.

        Args:
            preds_S: Logits of the student ``(B, C)``.
            preds_T: Logits of the teacher ``(B, C)``; no gradient reaches them.

        Returns:
            A scalar.

        Raises:
            TypeError: If the logits are not floating-point.
            ValueError: If the shapes do not fit.
        """
        check_pairs(preds_S=preds_S, preds_T=preds_T)
        soft = (raised(preds_T.detach()) / self.tau).softmax(dim=1)
        losses = not_finite_marks(preds_T) - (soft * (raised(preds_S) / self.tau).log_softmax(dim=1)).sum(dim=1)
        factor = self.tau**2 if self.mult_tem_square else 1.0
        return self.loss_weight * factor * mean_of(losses)
