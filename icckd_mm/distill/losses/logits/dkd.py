"""Decoupled knowledge distillation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from icckd_mm.distill.checks import check_same_shape
from icckd_mm.functional.tensor.checks import check_features, check_labels
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.functional.tensor.numerics import raised
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

    Raises:
        ValueError: If an argument is out of range.

    Source: Zhao et al. 2022, arXiv 2203.08679, Eq. 7.
    """

    def __init__(self, tau: float = 1.0, alpha: float = 1.0, beta: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_positive('tau', tau)
        for name, value in (('alpha', alpha), ('beta', beta), ('loss_weight', loss_weight)):
            check_weight(name, value)
        self.tau, self.alpha, self.beta, self.loss_weight = tau, alpha, beta, loss_weight

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
        check_features('preds_S', preds_S)
        check_same_shape('DKDLoss', preds_S, preds_T)
        B, C = preds_S.shape
        if C < 2:
            raise ValueError(f'DKDLoss needs at least 2 classes, got logits {tuple(preds_S.shape)}')
        check_labels('gt_labels', gt_labels, B, num_classes=C, like=preds_S)
        (target_S, rest_S), (target_T, rest_T) = (self._parts(raised(x), gt_labels.long()) for x in (preds_S, preds_T))
        losses = self.alpha * divergence(target_T, target_S) + self.beta * divergence(rest_T, rest_S)
        return self.loss_weight * self.tau**2 * losses.sum() / max(B, 1)

    def _parts(self, logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Logarithms of ``(p_y, 1 - p_y)``, shape ``(B, 2)``, and of the softmax of the rest, ``(B, C - 1)``."""
        others = torch.arange(logits.size(1) - 1, device=labels.device)  # a mask would wait for the device
        log_probs = (logits / self.tau).log_softmax(dim=1)
        log_rest = log_probs.gather(1, others + (others >= labels[:, None]))
        target = torch.cat([log_probs.gather(1, labels[:, None]), log_rest.logsumexp(dim=1, keepdim=True)], dim=1)
        return target, log_rest.log_softmax(dim=1)


def divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """``KL(p || q)`` of each row from finite logarithms."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)
