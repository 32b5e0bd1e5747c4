"""The supervised contrastive loss of a teacher, with a part that pushes images of one class apart."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from icckd_mm.functional.contrast.supervised import supervised_contrastive_loss
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS

from .intra_class_contrastive_loss import IntraClassContrastiveLoss


@MODELS.register_module()
class SupervisedContrastiveLoss(IntraClassContrastiveLoss):
    r"""SupCon beside the intra-class loss, under :class:`icckd_mm.IntraClassContrastHook`: controls of our own loss.

    .. math:: L = \lambda_{sup}\,L_{SupCon} + \lambda\,L_{ICC}

    The sum with ``margin=-1`` and ``queue_size=0`` is the loss of Chen et al., whose class-conditional InfoNCE keeps apart
    what SupCon alone collapses; ``loss_weight=0`` leaves SupCon. The teacher needs logits for its students, so it is
    trained with cross-entropy beside this loss, in one stage. The loss acts on the pooled features, which students and measures
    see: there is no projection head, which would be left out after training. Both are our choice. With several processes
    SupCon compares the images of one process.

    Args:
        num_classes: ``C``.
        feat_dims: ``D``, width of the features.
        sup_weight: :math:`\lambda_{sup} \ge 0`. Defaults to 1.0.
        sup_temperature: Above 0. Defaults to 0.1, as published.
        **kwargs: Of the intra-class part.

    Raises:
        ValueError: If an argument is out of range.

    Source: Khosla et al. 2020, arXiv 2004.11362; Chen et al. 2022, arXiv 2204.07596.
    """

    def __init__(
        self, num_classes: int, feat_dims: int, sup_weight: float = 1.0, sup_temperature: float = 0.1, **kwargs: Any
    ) -> None:
        super().__init__(num_classes, feat_dims, **kwargs)
        check_weight('sup_weight', sup_weight, 1.0)
        check_positive('sup_temperature', sup_temperature, 0.1)
        self.sup_weight, self.sup_temperature = sup_weight, sup_temperature

    def forward(self, features: Tensor, positives: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Both parts, with their weights; see :meth:`IntraClassContrastiveLoss.forward`."""
        apart = super().forward(features, positives, logits, labels)
        together = supervised_contrastive_loss(features, positives, labels, temperature=self.sup_temperature)
        return apart + self.sup_weight * together

    def extra_repr(self) -> str:
        return f'{super().extra_repr()}, sup_weight={self.sup_weight}, sup_temperature={self.sup_temperature}'
