"""The sample-wise contrastive loss of CKD."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import sample_wise_contrastive_loss
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class SampleWiseContrastiveLoss(nn.Module):
    r"""CKD: each teacher sample must pick out its own student sample from the batch, by the cosine of their logits.

    :math:`L = w\,L_{CKD}` with :func:`icckd_mm.functional.sample_wise_contrastive_loss`, in addition to a cross-entropy of
    weight 1. No parameters, no queue, no labels. With several processes each contrasts its own batch.

    The published weights hold for a batch size, since the loss falls from :math:`\log B` to a bound above 0, and for 480
    epochs with a cosine schedule to 0, twice the usual length:

    =============================================  ===  =====  ==========
    CIFAR-100, teacher to student                   w    tau   batch size
    =============================================  ===  =====  ==========
    resnet56-20, resnet110-32                       10    1        64
    resnet32x4-8x4, wrn40-2-16-2, vgg13-8          100    1        64
    wrn40-2-40-1                                    50    2        32
    resnet32x4-ShuffleNetV2                        100    1        64
    resnet32x4-, wrn40-2-ShuffleNetV1              100    1        32
    ResNet50-MobileNetV2                           100    1        32
    vgg13-MobileNetV2                               50    2        32
    ImageNet, ResNet34-18 (200 epochs)              10    1       512
    =============================================  ===  =====  ==========

    Args:
        temperature: :math:`\tau > 0`. Defaults to 1.0.
        loss_weight: :math:`w \ge 0`. Defaults to 10.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: CKD, Zhu et al., arXiv 2404.14109, in the form of the published code.
    """

    def __init__(self, temperature: float = 1.0, loss_weight: float = 10.0) -> None:
        super().__init__()
        check_positive('temperature', temperature, 1.0)
        check_weight('loss_weight', loss_weight, 10.0)
        self.temperature, self.loss_weight = temperature, loss_weight

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803 mmrazor's names
        """The loss times ``loss_weight``.

        Args:
            preds_S: Logits of the student ``(B, C)``.
            preds_T: Logits of the teacher ``(B, C)``.

        Returns:
            A scalar.
        """
        return self.loss_weight * sample_wise_contrastive_loss(preds_S, preds_T, temperature=self.temperature)

    def extra_repr(self) -> str:
        return f'temperature={self.temperature}, loss_weight={self.loss_weight}'
