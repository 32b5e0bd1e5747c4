"""Soft labels of Hinton et al."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import soft_label_divergence, standardized_logits
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class KLDivergence(nn.Module):
    r"""Divergence from the teacher's soft labels, :math:`\lambda\,\tau^2\,\frac1B\sum_i KL(p^T_i\Vert p^S_i)`.

    mmrazor's with ``reduction='batchmean'``, and with an option for standardised logits.

    Args:
        tau: :math:`\tau > 0`. Defaults to 1.0.
        loss_weight: :math:`\lambda \ge 0`. Defaults to 1.0.
        standardize: Whether both networks' logits get mean 0 and deviation 1 per image first (LSKD). Usual with it are
            ``tau`` 2 to 3 and ``loss_weight`` 3 to 15. Defaults to False.

    Raises:
        ValueError: If an argument is out of range.

    Source: Hinton et al. 2015, arXiv 1503.02531; LSKD: Sun et al., CVPR 2024, arXiv 2403.01427.
    """

    def __init__(self, tau: float = 1.0, loss_weight: float = 1.0, standardize: bool = False) -> None:
        super().__init__()
        check_positive('tau', tau)
        check_weight('loss_weight', loss_weight)
        self.tau, self.standardize, self.loss_weight = tau, standardize, loss_weight

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
        if self.standardize:
            preds_S, preds_T = standardized_logits(preds_S), standardized_logits(preds_T)
        return self.loss_weight * soft_label_divergence(preds_S, preds_T, temperature=self.tau)
