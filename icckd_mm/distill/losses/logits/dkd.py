"""Decoupled knowledge distillation."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import decoupled_divergence, standardized_logits
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class DKDLoss(nn.Module):
    r"""The KL of target against rest, and the KL within the rest, with separate weights.

    .. math:: L = \lambda\,\tau^2\,\frac1B \sum_i \bigl(\alpha\,\mathrm{KL}(b^T_i \| b^S_i)
        + \beta\,\mathrm{KL}(\hat p^T_i \| \hat p^S_i)\bigr)

    with :math:`b = (p_y, 1 - p_y)` and :math:`\hat p` the softmax without class :math:`y`, both at temperature :math:`\tau`.
    mmrazor sums over the batch whatever its ``reduction`` says except for ``'batchmean'`` and takes the logarithm of a softmax
    that may be 0. Here everything is in log space and the mean is over images, as published; there is no ``reduction``.

    Args:
        tau: :math:`\tau > 0`. Defaults to 1.0.
        alpha: :math:`\alpha \ge 0`. Defaults to 1.0.
        beta: :math:`\beta \ge 0`. Defaults to 1.0.
        loss_weight: :math:`\lambda \ge 0`. Defaults to 1.0.
        standardize: Whether both networks' logits get mean 0 and deviation 1 per image first (LSKD). Usual with it are
            ``tau`` 2 and ``loss_weight`` 9 to 18. Defaults to False.

    Raises:
        ValueError: If an argument is out of range.

    Source: Zhao et al. 2022, arXiv 2203.08679, Eq. 7; LSKD: Sun et al., CVPR 2024, arXiv 2403.01427.
    """

    def __init__(
        self, tau: float = 1.0, alpha: float = 1.0, beta: float = 1.0, loss_weight: float = 1.0, standardize: bool = False
    ) -> None:
        super().__init__()
        check_positive('tau', tau)
        for name, value in (('alpha', alpha), ('beta', beta), ('loss_weight', loss_weight)):
            check_weight(name, value)
        self.tau, self.alpha, self.beta = tau, alpha, beta
        self.standardize, self.loss_weight = standardize, loss_weight

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
        if self.standardize:
            preds_S, preds_T = standardized_logits(preds_S), standardized_logits(preds_T)
        return self.loss_weight * decoupled_divergence(
            preds_S, preds_T, gt_labels, temperature=self.tau, alpha=self.alpha, beta=self.beta
        )
