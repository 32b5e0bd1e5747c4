"""Factor transfer."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.distill.checks import check_maps
from icckd_mm.functional.distill.attention import factor_transfer_loss
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class FTLoss(nn.Module):
    """:func:`.factor_transfer_loss` with a weight.

    Args:
        loss_weight: At least 0; the benchmark's is 200.

    Raises:
        ValueError: If the weight is out of range.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        self.loss_weight = loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compare the factors.

        Args:
            s_feature: Translated maps of the student ``(B, C, H, W)``.
            t_feature: Paraphrased maps of the teacher ``(B, C', H', W')``.

        Returns:
            A scalar.

        Raises:
            ValueError: If they are not maps of one batch with more than one position.
        """
        check_maps('FTLoss', s_feature, t_feature)
        return self.loss_weight * factor_transfer_loss(s_feature, t_feature)
