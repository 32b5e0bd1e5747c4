"""The teacher's decision as a label."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import hard_label_cross_entropy
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class HardLabelLoss(nn.Module):
    """Cross-entropy to the class that the teacher decides for, as DeiT's distillation token learns it.

    See :func:`icckd_mm.functional.hard_label_cross_entropy`. In DeiT it reads the logits of the distillation token, with weight
    0.5 beside 0.5 for the labels on the class token.

    Args:
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If the weight is out of range.

    Source: Touvron et al. 2021, arXiv 2012.12877, Eq. 3.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        self.loss_weight = loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the logits.

        Args:
            preds_S: Logits of the student ``(B, C)``.
            preds_T: Logits of the teacher ``(B, C)``.

        Returns:
            A scalar.

        Raises:
            TypeError: If the logits are not floating-point.
            ValueError: If the shapes do not fit.
        """
        return self.loss_weight * hard_label_cross_entropy(preds_S, preds_T)
