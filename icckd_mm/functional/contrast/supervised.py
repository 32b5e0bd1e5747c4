"""The supervised contrastive loss: pulls all images of one class together."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_features, check_labels
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast

from .class_mates import contrast_with_mates


def supervised_contrastive_loss(first: Tensor, second: Tensor, labels: Tensor, *, temperature: float = 0.1) -> Tensor:
    r"""Mean over all 2N views of two views of N images, with :math:`P(i)` the other views of the class of view i.

    .. math:: \ell_i = -\frac1{|P(i)|}\sum_{p\in P(i)}\log\frac{e^{\hat f_i\cdot\hat f_p/\tau}}
        {\sum_{a\ne i} e^{\hat f_i\cdot\hat f_a/\tau}}

    Features are normalised inside; half types are raised to fp32, autocast is off inside.

    Args:
        first: Features ``(N, D)`` of view 1.
        second: Features ``(N, D)`` of view 2 of the same images.
        labels: Classes ``(N,)``.
        temperature: :math:`\tau > 0`. Defaults to 0.1, as published.

    Returns:
        A scalar; 0 with a gradient path for an empty batch.

    Raises:
        TypeError: If features are not floating-point or labels not integers.
        ValueError: If shapes or values do not fit.

    Source: Khosla et al. 2020, arXiv 2004.11362, Eq. 2 (:math:`L_{out}`).

    Example:
        >>> supervised_contrastive_loss(torch.eye(2), torch.eye(2), torch.tensor([0, 1]), temperature=1.0)  # log(e + 2) - 1
        tensor(0.5514)
    """
    check_positive('temperature', temperature, 0.1)
    check_features('first', first)
    check_features('second', second, width=first.size(1))
    if len(first) != len(second):
        raise ValueError(f'both views must be of the same images, got {len(first)} and {len(second)} rows')
    check_labels('labels', labels, len(first), like=first)
    if not len(first):
        return first.sum() + second.sum()
    with without_autocast(first):
        views = unit_rows(raised(torch.cat([first, second])))
        return contrast_with_mates(views, labels.repeat(2), temperature).mean()
