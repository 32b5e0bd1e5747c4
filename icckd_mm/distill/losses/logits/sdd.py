"""Scale-decoupled distillation: the logits of regions of the last maps."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from icckd_mm.functional import consistency_weights, decoupled_divergence, region_logits, soft_label_divergence
from icckd_mm.functional.distill.logits.scale_decoupled import check_scales
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


class ScaleDecoupledLoss(nn.Module):
    """Compares what the two classifiers say of each region, and weights regions by the teacher's consistency.

    Args:
        tau: Temperature above 0.
        grids: Sides of the grids, of 1, 2 and 4.
        loss_weight: At least 0.

    Raises:
        ValueError: If an argument is out of range.
    """

    def __init__(self, tau: float, grids: Sequence[int], loss_weight: float) -> None:
        super().__init__()
        check_positive('tau', tau)
        check_scales(grids)
        check_weight('loss_weight', loss_weight)
        self.tau, self.grids, self.loss_weight = tau, tuple(grids), loss_weight

    def forward(
        self,
        s_feature: Tensor,
        s_centers: Tensor,
        s_bias: Tensor,
        t_feature: Tensor,
        t_centers: Tensor,
        t_bias: Tensor,
        gt_labels: Tensor,
    ) -> Tensor:
        """Compare the regions.

        Args:
            s_feature: Last map of the student ``(B, D, H, W)``.
            s_centers: Rows of its classifier ``(C, D)``.
            s_bias: Its bias ``(C,)``.
            t_feature: Last map of the teacher ``(B, D', H', W')``.
            t_centers: Rows of its classifier ``(C, D')``.
            t_bias: Its bias ``(C,)``.
            gt_labels: Classes ``(B,)``.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor has the wrong kind of dtype.
            ValueError: If shapes, devices or values do not fit.
        """
        student = region_logits(s_feature, s_centers, s_bias, grids=self.grids)
        teacher = region_logits(t_feature.detach(), t_centers.detach(), t_bias.detach(), grids=self.grids)
        weights = consistency_weights(teacher, gt_labels, grids=self.grids).flatten()
        labels = gt_labels.repeat_interleave(teacher.size(1), output_size=len(weights))
        losses = weights * self.divergences(student.flatten(0, 1), teacher.flatten(0, 1), labels)
        return self.loss_weight * losses.sum() / max(len(losses), 1)

    def divergences(self, student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
        """The loss ``(B * R,)`` of each region from its logits ``(B * R, C)``."""
        raise NotImplementedError


@MODELS.register_module()
class SDDKLDivergence(ScaleDecoupledLoss):
    r"""SD-KD over regions: :math:`\lambda\,\tau^2\,\frac1{BR}\sum_{i,r}\omega_{ir}\,KL(p^T_{ir}\Vert p^S_{ir})`.

    :math:`\omega = 2` where the teacher is right on the region and wrong on the image or the reverse, else 1. See
    :func:`icckd_mm.functional.region_logits`.

    Args:
        tau: :math:`\tau > 0`. Defaults to 4.0.
        grids: Sides of the grids, of 1, 2 and 4. Published are (1, 2) for maps of 4x4 and for ResNet-34 to
            ResNet-18. Defaults to (1, 2, 4).
        loss_weight: :math:`\lambda \ge 0`. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: SDD, Wei et al., CVPR 2024, arXiv 2403.13512.
    """

    def __init__(self, tau: float = 4.0, grids: Sequence[int] = (1, 2, 4), loss_weight: float = 1.0) -> None:
        super().__init__(tau, grids, loss_weight)

    def divergences(self, student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
        """The divergence ``(B * R,)`` of each region."""
        return soft_label_divergence(student, teacher, temperature=self.tau, reduction='none')


@MODELS.register_module()
class SDDDKDLoss(ScaleDecoupledLoss):
    r"""SD-DKD: :class:`icckd_mm.DKDLoss` of each region, weighted and averaged as :class:`icckd_mm.SDDKLDivergence` does.

    Args:
        tau: :math:`\tau > 0`. Defaults to 4.0.
        alpha: Weight of the true class against the rest, at least 0. Defaults to 1.0.
        beta: Weight within the rest, at least 0. Defaults to 8.0.
        grids: Sides of the grids, of 1, 2 and 4. Published are (1, 2) for maps of 4x4 and for ResNet-34 to
            ResNet-18. Defaults to (1, 2, 4).
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: SDD, Wei et al., CVPR 2024, arXiv 2403.13512.
    """

    def __init__(
        self,
        tau: float = 4.0,
        alpha: float = 1.0,
        beta: float = 8.0,
        grids: Sequence[int] = (1, 2, 4),
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(tau, grids, loss_weight)
        check_weight('alpha', alpha)
        check_weight('beta', beta)
        self.alpha, self.beta = alpha, beta

    def divergences(self, student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
        """The decoupled divergence ``(B * R,)`` of each region."""
        return decoupled_divergence(
            student, teacher, labels, temperature=self.tau, alpha=self.alpha, beta=self.beta, reduction='none'
        )
