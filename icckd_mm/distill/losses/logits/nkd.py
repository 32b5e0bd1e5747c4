"""Normalised knowledge distillation."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import normalized_cross_entropy
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class NKDLoss(nn.Module):
    """NKD: cross-entropies of the true class and of the other classes, each normalised for itself.

    See :func:`icckd_mm.functional.normalized_cross_entropy`. Cross-entropy with the labels has weight 1 beside it.

    Args:
        tau: Temperature of the other classes, above 0. Defaults to 1.0, published for ImageNet; 3.0 is for CIFAR-100 from
            ResNet-34 to ResNet-18.
        gamma: Weight of the other classes, at least 0. Defaults to 1.5, published for ImageNet; 3.5 for that CIFAR-100 pair.
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Yang et al., ICCV 2023, arXiv 2303.13005.
    """

    def __init__(self, tau: float = 1.0, gamma: float = 1.5, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_positive('tau', tau)
        check_weight('gamma', gamma)
        check_weight('loss_weight', loss_weight)
        self.tau, self.gamma, self.loss_weight = tau, gamma, loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor) -> Tensor:  # noqa: N803
        """Compare the logits.

        Args:
            preds_S: Logits of the student ``(B, C)``, ``C`` at least 2.
            preds_T: Logits of the teacher ``(B, C)``.
            gt_labels: Classes ``(B,)``.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor has the wrong kind of dtype.
            ValueError: If shapes or values do not fit.
        """
        return self.loss_weight * normalized_cross_entropy(preds_S, preds_T, gt_labels, temperature=self.tau, gamma=self.gamma)
