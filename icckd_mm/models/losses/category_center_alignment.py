"""The alignment losses of PCKD: pooled features, and the classifiers' rows."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import center_alignment_loss, feature_alignment_loss
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class FeatureAlignmentLoss(nn.Module):
    """Cosine distance of features, see :func:`icckd_mm.functional.feature_alignment_loss`.

    Args:
        loss_weight: At least 0. Defaults to 20.0, published for wrn40-2 to wrn16-2.

    Raises:
        ValueError: If the weight is out of range.

    Source: PCKD, Ding et al., arXiv 2410.14143, which applies
    :class:`icckd_mm.MLPConnector` to the student's features first.
    """

    def __init__(self, loss_weight: float = 20.0) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight, 20.0)
        self.loss_weight = loss_weight

    def forward(self, s_feature: Tensor, t_feature: Tensor) -> Tensor:
        """The loss times ``loss_weight``.

        Args:
            s_feature: Features of the student ``(N, D)``, after the connector.
            t_feature: Features of the teacher ``(N, D)``.

        Returns:
            A scalar.
        """
        return self.loss_weight * feature_alignment_loss(s_feature, t_feature)

    def extra_repr(self) -> str:
        return f'loss_weight={self.loss_weight}'


@MODELS.register_module()
class CenterAlignmentLoss(nn.Module):
    """Mean squared difference of the classifiers, see :func:`icckd_mm.functional.center_alignment_loss`.

    Only for networks with equal feature widths; leave it out of the distiller otherwise.

    Args:
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If the weight is out of range.

    Source: PCKD, Ding et al., arXiv 2410.14143, in the form of the published code.
    """

    def __init__(self, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight, 1.0)
        self.loss_weight = loss_weight

    def forward(self, s_centers: Tensor, s_bias: Tensor, t_centers: Tensor, t_bias: Tensor) -> Tensor:
        """The loss times ``loss_weight``.

        Args:
            s_centers: Rows of the student's classifier ``(C, D)``, from a ``ParameterRecorder``.
            s_bias: Its bias ``(C,)``.
            t_centers: Rows of the teacher's classifier ``(C, D)``.
            t_bias: Its bias ``(C,)``.

        Returns:
            A scalar.
        """
        return self.loss_weight * center_alignment_loss(s_centers, s_bias, t_centers, t_bias)

    def extra_repr(self) -> str:
        return f'loss_weight={self.loss_weight}'
