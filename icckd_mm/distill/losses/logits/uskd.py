"""Universal self-knowledge distillation."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import self_normalized_loss
from icckd_mm.functional.distill.logits.self_normalized import RANKS
from icckd_mm.functional.tensor.checks import check_map
from icckd_mm.functional.tensor.number_checks import check_count, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class USKDLoss(nn.Module):
    r"""USKD: soft labels that the student makes for itself, with a weak classifier on an earlier stage. Needs no teacher.

    See :func:`icckd_mm.functional.self_normalized_loss`. The weak classifier, global average pooling and a linear layer,
    belongs to this loss and is not part of the student. Cross-entropy has weight 1 beside it. For mmrazor's ``SelfDistill``.

    Args:
        num_classes: Number of classes.
        in_channels: Channels of the earlier map.
        alpha: Weight of the soft label of the true class, at least 0. Defaults to 1.0; 0.1 for CIFAR.
        beta: Weight of the other classes, at least 0. Defaults to 0.1, for both.
        mu: Weight of the weak classifier's own loss, at least 0. Defaults to 0.005; 0.1 for CIFAR.
        rank_from: ``'log'`` as in the published code, or ``'prob'`` as in the paper. Defaults to ``'log'``.
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Yang et al., ICCV 2023, arXiv 2303.13005.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        alpha: float = 1.0,
        beta: float = 0.1,
        mu: float = 0.005,
        rank_from: str = 'log',
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_count('num_classes', num_classes)
        check_count('in_channels', in_channels)
        for name, value in (('alpha', alpha), ('beta', beta), ('mu', mu), ('loss_weight', loss_weight)):
            check_weight(name, value)
        if rank_from not in RANKS:
            raise ValueError(f'rank_from must be one of {", ".join(RANKS)}, got {rank_from!r}')
        self.alpha, self.beta, self.mu = alpha, beta, mu
        self.rank_from, self.loss_weight = rank_from, loss_weight
        self.weak = nn.Linear(in_channels, num_classes)

    def forward(self, s_feature: Tensor, preds_S: Tensor, gt_labels: Tensor) -> Tensor:  # noqa: N803
        """The loss.

        Args:
            s_feature: Map of the student's second-last stage ``(B, in_channels, H, W)``.
            preds_S: Its logits ``(B, num_classes)``.
            gt_labels: Classes ``(B,)``.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor has the wrong kind of dtype.
            ValueError: If shapes or values do not fit.
        """
        check_map('s_feature', s_feature)
        if s_feature.size(1) != self.weak.in_features:
            raise ValueError(f's_feature has {s_feature.size(1)} channels, in_channels is {self.weak.in_features}')
        weak = self.weak(s_feature.mean(dim=(2, 3)).to(self.weak.weight.dtype))
        return self.loss_weight * self_normalized_loss(
            preds_S, weak, gt_labels, alpha=self.alpha, beta=self.beta, mu=self.mu, rank_from=self.rank_from
        )
