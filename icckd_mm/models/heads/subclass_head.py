"""A linear classifier with several outputs per class."""

from __future__ import annotations

from typing import Any

from mmpretrain.models.heads import LinearClsHead
from torch import Tensor, nn

from icckd_mm.functional.distill.logits.subclasses import grouped_logits
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import MODELS


@MODELS.register_module()
class SubclassClsHead(LinearClsHead):
    """``LinearClsHead`` whose layer ``fc`` has ``num_classes * subclasses`` outputs; a class is the log-sum-exp of its own.

    For students of :class:`icckd_mm.SubclassKLLoss`. Loss, metrics and exported models see ``num_classes`` logits.

    Args:
        num_classes: Number of classes.
        in_channels: Width of the features.
        subclasses: Subclasses per class.
        **kwargs: As in ``LinearClsHead``.

    Source: Müller et al. 2020, arXiv 2002.03936, Sec. 3.
    """

    def __init__(self, num_classes: int, in_channels: int, subclasses: int, **kwargs: Any) -> None:
        check_count('subclasses', subclasses)
        super().__init__(num_classes=num_classes, in_channels=in_channels, **kwargs)
        self.subclasses = subclasses
        self.fc = nn.Linear(in_channels, num_classes * subclasses)

    def forward(self, feats: tuple[Tensor, ...]) -> Tensor:
        """Logits of the classes ``(B, num_classes)``."""
        return grouped_logits(self.fc(self.pre_logits(feats)), self.subclasses)
