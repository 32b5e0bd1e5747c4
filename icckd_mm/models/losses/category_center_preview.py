"""The preview-weighted soft-label loss of PCKD, and the weights of the current epoch."""

from __future__ import annotations

from mmengine.logging import MessageHub
from torch import Tensor, nn
from torch.nn import functional as F

from icckd_mm.functional import preview_weights, soft_label_divergence
from icckd_mm.functional.contrast.category_center_preview import check_rotations
from icckd_mm.functional.tensor.checks import check_features, check_labels
from icckd_mm.functional.tensor.number_checks import check_count, check_positive, check_weight
from icckd_mm.functional.tensor.numerics import raised
from icckd_mm.registry import MODELS


def current_epoch() -> int:
    """The runner's epoch, counted from 1; 1 without a runner."""
    return int(MessageHub.get_current_instance().get_info('epoch', 0)) + 1  # counted from 0 there


def current_preview_weights(logits: Tensor, labels: Tensor, num_rotations: int, base: float) -> Tensor:
    """Preview weights of the images from the student's cross-entropy on their first views, in the runner's epoch.

    Args:
        logits: Logits of the student ``(N, C)``, ``num_rotations`` rows of each image.
        labels: Classes ``(N,)``.
        num_rotations: ``R``.
        base: Growth of the threshold in each epoch.

    Returns:
        ``(N / R,)``, without gradient.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.
    """
    check_features('preds_S', logits)
    check_labels('gt_labels', labels, logits.size(0), num_classes=logits.size(1), like=logits)
    first = slice(None, None, num_rotations)
    losses = F.cross_entropy(raised(logits[first].detach()), labels[first].long(), reduction='none')
    return preview_weights(losses, epoch=current_epoch(), base=base)


@MODELS.register_module()
class PreviewKLDivergence(nn.Module):
    r"""PCKD's distillation term: Hinton's loss on the upright views, each image with its preview weight.

    :math:`L = \delta\,\frac1B\sum_i v_i\,T^2 KL(p^T_i\Vert p^S_i)`, with the weights that
    :class:`icckd_mm.CategoryCenterContrastiveLoss` uses.

    Args:
        temperature: :math:`T > 0`. Defaults to 4.0.
        preview_base: Growth of the preview threshold in each epoch. Defaults to 1.005.
        num_rotations: Rows of each image; the first one is used. Defaults to 1.
        loss_weight: :math:`\delta \ge 0`. Defaults to 0.9 (our choice; no value of the full method is published, and
            the published command leaves this term out).

    Raises:
        ValueError: If an argument is out of range.

    Source: PCKD, Ding et al., arXiv 2410.14143, in the form of the published code.
    """

    def __init__(
        self, temperature: float = 4.0, preview_base: float = 1.005, num_rotations: int = 1, loss_weight: float = 0.9
    ) -> None:
        super().__init__()
        check_positive('temperature', temperature, 4.0)
        check_positive('preview_base', preview_base, 1.005)
        check_count('num_rotations', num_rotations)
        check_weight('loss_weight', loss_weight, 0.9)
        self.temperature, self.preview_base = temperature, preview_base
        self.num_rotations, self.loss_weight = num_rotations, loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor, gt_labels: Tensor) -> Tensor:  # noqa: N803 mmrazor's names
        """The loss times ``loss_weight``.

        Args:
            preds_S: Logits of the student ``(N, C)``, image by image.
            preds_T: Logits of the teacher ``(N, C)``.
            gt_labels: Classes ``(N,)``.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor has the wrong kind of dtype.
            ValueError: If shapes, devices or values do not fit.
        """
        check_rotations(gt_labels, self.num_rotations)
        weights = current_preview_weights(preds_S, gt_labels, self.num_rotations, self.preview_base)
        first = slice(None, None, self.num_rotations)
        losses = soft_label_divergence(preds_S[first], preds_T[first], temperature=self.temperature, reduction='none')
        return self.loss_weight * (weights * losses).sum() / max(len(losses), 1)

    def extra_repr(self) -> str:
        return (
            f'temperature={self.temperature}, preview_base={self.preview_base}, '
            f'num_rotations={self.num_rotations}, loss_weight={self.loss_weight}'
        )
