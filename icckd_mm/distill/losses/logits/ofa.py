"""Distillation across architectures by logits of the student's stages."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import adaptive_target_loss
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class OFALoss(nn.Module):
    """Soft cross-entropy with a strengthened true class: :func:`~icckd_mm.functional.adaptive_target_loss`.

    One loss for the student's logits and one for each stage behind an :class:`icckd_mm.OFAConvHead`. The teacher's logits are
    all that it reads of the teacher, so any teacher fits.

    Args:
        eps: Above 0; 1 is the plain soft cross-entropy.
        loss_weight: At least 0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Hao et al. 2023, arXiv 2310.19444.
    """

    takes_scores = True  # mixed labels

    def __init__(self, eps: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_positive('eps', eps, 1.0)
        check_weight('loss_weight', loss_weight)
        self.eps, self.loss_weight = eps, loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor) -> Tensor:  # noqa: N803
        """Compare the logits.

        Args:
            preds_S: Logits of the student or of one of its stages ``(B, C)``.
            preds_T: Logits of the teacher ``(B, C)``.
            gt_labels: Classes ``(B,)``, or scores ``(B, C)`` of mixed labels.

        Returns:
            A scalar.

        Raises:
            TypeError: If the logits are not floating-point.
            ValueError: If the shapes do not fit.
        """
        return self.loss_weight * adaptive_target_loss(preds_S, preds_T, gt_labels, eps=self.eps)
