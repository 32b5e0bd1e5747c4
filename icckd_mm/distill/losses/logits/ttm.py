"""Transformed teacher matching."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import transformed_teacher_divergence
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class TransformedTeacherLoss(nn.Module):
    """TTM and WTTM: the student without a temperature against the teacher with ``1 / gamma``.

    See :func:`icckd_mm.functional.transformed_teacher_divergence`. Cross-entropy has weight 1 beside it.

    Args:
        gamma: Exponent of the teacher's probabilities, above 0 and at most 1. Defaults to 0.1, published for TTM from vgg13 to
            vgg8; 0.2 is published for WTTM beside CRD. Values of other pairs are not known to us.
        weighted: Whether images of which the teacher is unsure weigh more (WTTM). The weights are large, so ``loss_weight``
            should be about a tenth. Defaults to False.
        loss_weight: At least 0; published are 45 for TTM (vgg13 to vgg8) and 4 for WTTM beside CRD. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Zheng and Yang, ICLR 2024, arXiv 2402.11148.
    """

    def __init__(self, gamma: float = 0.1, weighted: bool = False, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_positive('gamma', gamma, 0.1)
        if gamma > 1:
            raise ValueError(f'gamma must be at most 1, got {gamma}; 0.1 is the default')
        check_weight('loss_weight', loss_weight)
        self.gamma, self.weighted, self.loss_weight = gamma, weighted, loss_weight

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
        return self.loss_weight * transformed_teacher_divergence(preds_S, preds_T, gamma=self.gamma, weighted=self.weighted)
