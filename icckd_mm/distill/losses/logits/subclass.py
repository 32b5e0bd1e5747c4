"""Soft labels of pseudo-subclasses."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from icckd_mm.functional.distill.logits.soft_labels import soft_label_divergence
from icckd_mm.functional.distill.logits.subclass_fit import HOW, fit_subclasses
from icckd_mm.functional.distill.logits.subclasses import subclass_logits
from icckd_mm.functional.tensor.checks import check_features, check_pairs
from icckd_mm.functional.tensor.number_checks import check_count, check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class SubclassKLLoss(nn.Module):
    r"""The KL of Hinton et al. between subclasses: :math:`\lambda\,\tau^2\,\mathrm{KL}(p^{T,\tau}_{cs} \| p^{S,\tau}_{cs})`.

    With few classes, soft labels say little about an image. Here each class of the teacher is divided into ``subclasses`` by a
    linear map of its features, and the student, with an :class:`icckd_mm.SubclassClsHead`, learns the finer soft labels.
    :class:`icckd_mm.SubclassHook` finds the map before training, and checkpoints keep it.

    Args:
        num_classes: ``C``.
        subclasses: ``S``, at least 2.
        feat_dims: Width ``D`` of the teacher's pooled features.
        how: ``'kmeans'`` or ``'pca'``, see :func:`.fit_subclasses`. Defaults to ``'kmeans'``.
        sharpness: How clearly an image belongs to one subclass. Defaults to 4.0.
        tau: Temperature above 0. Defaults to 4.0.
        loss_weight: :math:`\lambda \ge 0`. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Müller et al. 2020, arXiv 2002.03936, whose teacher learns its subclasses; that those of a frozen teacher are found
    in its features follows Loo et al. 2024, arXiv 2409.20449. Sharpness and temperature are our choice.
    """

    weight: Tensor
    bias: Tensor
    fitted: Tensor

    def __init__(
        self,
        num_classes: int,
        subclasses: int,
        feat_dims: int,
        how: str = 'kmeans',
        sharpness: float = 4.0,
        tau: float = 4.0,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        for name, value in (('num_classes', num_classes), ('feat_dims', feat_dims)):
            check_count(name, value)
        check_count('subclasses', subclasses, least=2, advice='with 1 nothing is divided: use icckd_mm.KLDivergence')
        check_positive('sharpness', sharpness)
        check_positive('tau', tau)
        check_weight('loss_weight', loss_weight)
        if how not in HOW:
            raise ValueError(f'how must be one of {", ".join(HOW)}, got {how!r}')
        self.num_classes, self.subclasses, self.how, self.sharpness = num_classes, subclasses, how, sharpness
        self.tau, self.loss_weight = tau, loss_weight
        self.register_buffer('weight', torch.zeros(num_classes, subclasses, feat_dims))
        self.register_buffer('bias', torch.zeros(num_classes, subclasses))
        self.register_buffer('fitted', torch.tensor(False))
        self.ready = False  # as ``fitted``, without a question to the device

    def fit(self, features: Tensor, labels: Tensor) -> None:
        """Find the subclasses.

        Args:
            features: Of the training images, ``(N, D)``.
            labels: Their classes ``(N,)``.

        Raises:
            ValueError: If the features have another width.
        """
        check_features('features', features, width=self.weight.size(2))
        weight, bias = fit_subclasses(features, labels, self.num_classes, self.subclasses, self.how, self.sharpness)
        self.weight.copy_(weight)
        self.bias.copy_(bias)
        self.fitted.fill_(True)
        self.ready = True

    def forward(self, preds_S: Tensor, preds_T: Tensor, features_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the soft labels.

        Args:
            preds_S: Logits of the student's subclasses ``(B, C * S)``.
            preds_T: Logits of the teacher's classes ``(B, C)``.
            features_T: Pooled features of the teacher ``(B, D)``.

        Returns:
            A scalar.

        Raises:
            RuntimeError: If the subclasses have not been found yet.
            TypeError: If a tensor is not floating-point.
            ValueError: If the shapes do not fit.
        """
        if not self.ready:
            raise RuntimeError("the subclasses are not known yet; add dict(type='icckd_mm.SubclassHook') to custom_hooks")
        targets = subclass_logits(preds_T, features_T, self.weight, self.bias)
        check_pairs(preds_S=preds_S, subclasses_T=targets)
        return self.loss_weight * soft_label_divergence(preds_S, targets, temperature=self.tau)

    def _load_from_state_dict(self, *args: Any) -> None:
        faults = args[-1]
        before = len(faults)
        super()._load_from_state_dict(*args)
        self.fitted.logical_and_(torch.tensor(len(faults) == before, device=self.fitted.device))  # another S: not fitted
        self.ready = bool(self.fitted)
