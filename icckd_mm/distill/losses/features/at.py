"""Attention transfer."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.distill.checks import check_maps
from icckd_mm.functional.distill.attention import unit_attention
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class ATLoss(nn.Module):
    r"""Mean squared difference of unit attention maps, :math:`a = \mathrm{unit}(\frac1C\sum_c x_c^2)`.

    Channels may differ. Maps of different size are pooled to the smaller one, as the method's authors do; mmrazor's broadcasts
    maps of one position and fails on others. Maps of one position carry no attention and are refused.

    Args:
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If the weight is out of range.

    Source: Zagoruyko and Komodakis 2017, arXiv 1612.03928.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        self.loss_weight = loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """Compare the maps.

        Args:
            s_feature: Maps of the student ``(B, C, H, W)``.
            t_feature: Maps of the teacher ``(B, C', H', W')``.

        Returns:
            A scalar.

        Raises:
            ValueError: If they are not maps of one batch with more than one position.
        """
        check_maps('ATLoss', s_feature, t_feature)
        size = min(s_feature.size(2), t_feature.size(2)), min(s_feature.size(3), t_feature.size(3))
        if size == (1, 1):
            raise ValueError(
                f'ATLoss: {tuple(s_feature.shape)} and {tuple(t_feature.shape)} share a single position; record other layers'
            )
        student, teacher = (unit_attention(x, size) for x in (s_feature, t_feature))
        return self.loss_weight * (student - teacher).pow(2).mean()
