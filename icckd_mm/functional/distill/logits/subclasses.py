"""Pseudo-subclasses of a teacher's classes: a channel wider than its logits."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_features, check_floating
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.functional.tensor.numerics import raised, without_autocast


def subclass_logits(logits: Tensor, features: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    r"""Logits of subclasses, whose probabilities sum to those of their class.

    .. math:: z_{cs} = z_c + \log\mathrm{softmax}_s(w_{cs}^\top f + b_{cs})

    so that :math:`\log\sum_s e^{z_{cs}} = z_c`.

    Args:
        logits: Of the classes, ``(B, C)``.
        features: Pooled features ``(B, D)``.
        weight: ``(C, S, D)``, for ``S`` subclasses per class.
        bias: ``(C, S)``.

    Returns:
        ``(B, C * S)``, the subclasses of a class side by side, in at least single precision.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If the shapes do not fit.

    Source: The grouping is that of Müller et al. 2020, arXiv 2002.03936, Sec. 3; that a frozen teacher's classes are divided
    by a linear map of its features is the idea of Loo et al. 2024, arXiv 2409.20449. The formula is our choice.

    Example:
        >>> subclass_logits(torch.zeros(1, 1), torch.ones(1, 2), torch.zeros(1, 2, 2), torch.zeros(1, 2)).exp()
        tensor([[0.5000, 0.5000]])
    """
    check_floating('weight', weight, ' (C, S, D)')
    check_floating('bias', bias, ' (C, S)')
    if weight.ndim != 3 or bias.shape != weight.shape[:2]:
        raise ValueError(f'weight (C, S, D) and bias (C, S) must fit, got {tuple(weight.shape)} and {tuple(bias.shape)}')
    C, _, D = weight.shape
    check_features('logits', logits, width=C)
    check_features('features', features, width=D)
    if len(logits) != len(features):
        raise ValueError(f'logits and features must be of the same images, got {len(logits)} and {len(features)} rows')
    with without_autocast(logits):
        rows = raised(features)
        scores = torch.einsum('bd,csd->bcs', rows, weight.to(rows.dtype)) + bias
        return (raised(logits)[:, :, None] + scores.log_softmax(dim=2)).flatten(1)


def grouped_logits(logits: Tensor, subclasses: int) -> Tensor:
    r"""Logits of classes from those of their subclasses: :math:`z_c = \log\sum_s e^{z_{cs}}`.

    Args:
        logits: ``(B, C * S)``, the subclasses of a class side by side.
        subclasses: ``S``.

    Returns:
        ``(B, C)``.

    Raises:
        TypeError: If the logits are not floating-point.
        ValueError: If the width is not a multiple of ``S``, or ``S`` is not an integer of at least 1.

    Source: Müller et al. 2020, arXiv 2002.03936, Sec. 3.

    Example:
        >>> grouped_logits(torch.zeros(1, 4), 2)
        tensor([[0.6931, 0.6931]])
    """
    check_features('logits', logits)
    check_count('subclasses', subclasses)
    if logits.size(1) % subclasses:
        raise ValueError(f'{logits.size(1)} logits cannot be divided into groups of {subclasses} subclasses')
    return logits.unflatten(1, (-1, subclasses)).logsumexp(dim=2)
