"""The MCMI loss of a teacher, with its running class means."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from icckd_mm.functional import class_mean_predictions, mcmi_loss
from icckd_mm.functional.tensor.checks import check_features
from icckd_mm.functional.tensor.gather import all_gather_rows
from icckd_mm.functional.tensor.number_checks import check_count, check_weight
from icckd_mm.functional.tensor.snapshot import snapshot
from icckd_mm.registry import MODELS


@MODELS.register_module()
class MCMILoss(nn.Module):
    r"""MCMI: cross-entropy less :math:`\lambda\,KL(p_i\Vert\bar p_{y_i})`, the ``loss`` of a teacher's head.

    The published method closest to the intra-class contrastive teacher: it also increases the variety inside each class,
    there of the predictions. Use it to fine-tune a trained teacher for 20 epochs. The class means :math:`\bar p` are running
    means, since a batch of 64 holds less than one image of each of 100 classes: the plain mean of the first batches a class was
    in, then an exponential one. They include the batch before its loss is computed, which bounds the second term. With several
    processes they include all batches, which must have one size.

    Args:
        num_classes: ``C``.
        momentum: In ``[0, 1)``, weight of the old mean in an update; 0 gives the means of the
            batch. Defaults to 0.9 (our choice).
        kl_weight: :math:`\lambda \ge 0`. Defaults to 0.25.
        loss_weight: At least 0, factor of both terms. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: MCMI, ICLR 2024, in the form of the published code; running means are our choice.
    """

    means: Tensor
    updates: Tensor

    def __init__(self, num_classes: int, momentum: float = 0.9, kl_weight: float = 0.25, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_count('num_classes', num_classes)
        if not (isinstance(momentum, (int, float)) and 0 <= momentum < 1):
            raise ValueError(f'momentum must lie in [0, 1), got {momentum!r}; 0.9 is the default')
        check_weight('kl_weight', kl_weight, 0.25)
        check_weight('loss_weight', loss_weight, 1.0)
        self.num_classes, self.momentum = num_classes, momentum
        self.kl_weight, self.loss_weight = kl_weight, loss_weight
        self.register_buffer('means', torch.zeros(num_classes, num_classes))
        self.register_buffer('updates', torch.zeros(num_classes, dtype=torch.long))

    def forward(self, cls_score: Tensor, label: Tensor, avg_factor: float | None = None, **kwargs: Any) -> Tensor:
        """Update the means (in training mode), then the loss.

        Args:
            cls_score: Logits ``(B, C)``.
            label: Classes ``(B,)``.
            avg_factor: Divisor of the sum over the batch. Defaults to None, ``B``.
            **kwargs: Other arguments of the head; not used.

        Returns:
            The loss times ``loss_weight``, a scalar that can be negative.

        Raises:
            TypeError: If the logits are not floating-point or the labels not class indices.
            ValueError: If shapes, devices or values do not fit.
        """
        check_features('cls_score', cls_score)
        if cls_score.size(1) != self.num_classes:
            raise ValueError(
                f'cls_score has {cls_score.size(1)} classes, the loss was built with num_classes={self.num_classes}; '
                'set both in head and loss'
            )
        if self.training:
            self._update(all_gather_rows(cls_score.detach()), all_gather_rows(label))
        losses = mcmi_loss(cls_score, label, snapshot(self.means), kl_weight=self.kl_weight, reduction='none')
        return self.loss_weight * losses.sum() / (avg_factor or max(len(losses), 1))

    @torch.no_grad()
    def _update(self, logits: Tensor, labels: Tensor) -> None:
        present = class_mean_predictions(logits, labels).to(self.means.dtype)
        seen = present.sum(dim=1) > 0
        self.updates += seen
        rate = seen / self.updates.clamp(1)  # 1, 1/2, 1/3: the plain mean
        rate = torch.where(seen, rate.clamp_min(1 - self.momentum), 0.0)[:, None]
        self.means.lerp_(present, rate.to(self.means.dtype))

    def extra_repr(self) -> str:
        return (
            f'num_classes={self.num_classes}, momentum={self.momentum}, '
            f'kl_weight={self.kl_weight}, loss_weight={self.loss_weight}'
        )
