"""Channel-wise divergence."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional.distill.logits.soft_labels import divergence
from icckd_mm.functional.distill.pairs import at_common_places, check_same_shape
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.functional.tensor.reductions import mean_of
from icckd_mm.registry import MODELS


@MODELS.register_module()
class ChannelWiseDivergence(nn.Module):
    r"""KL of teacher's and student's softmax over the positions of each channel, times :math:`\tau^2`, mean over channels.

    Equal to mmrazor's where that is defined; a map of one position, whose softmax is always 1, is refused instead of giving 0.

    Args:
        tau: Temperature above 0. Defaults to 1.0.
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Shu et al. 2021, arXiv 2011.13256.
    """

    def __init__(self, tau: float = 1.0, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_positive('tau', tau)
        check_weight('loss_weight', loss_weight)
        self.tau, self.loss_weight = tau, loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the maps.

        Args:
            preds_S: Maps of the student ``(B, C, H, W)``.
            preds_T: Maps of the teacher, same shape.

        Returns:
            A scalar.

        Raises:
            TypeError: If a map is not floating-point.
            ValueError: If they are not maps of one shape with more than one position.
        """
        check_same_shape('ChannelWiseDivergence', preds_S, preds_T)
        maps = at_common_places('ChannelWiseDivergence', preds_S, preds_T)
        student, teacher = ((x.flatten(2).flatten(0, 1) / self.tau).log_softmax(dim=1) for x in maps)
        return self.loss_weight * self.tau**2 * mean_of(divergence(teacher, student))
