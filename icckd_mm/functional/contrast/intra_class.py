"""The intra-class contrastive loss: pushes images of one class apart and keeps each near its other view."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_features, check_floating, check_labels, check_same_device
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction

from .queue_products import queue_logsumexp


def intra_class_contrastive_loss(
    anchors: Tensor,
    positives: Tensor,
    labels: Tensor,
    *,
    queue: Tensor | None = None,
    filled: Tensor | None = None,
    negatives: Tensor | None = None,
    negative_labels: Tensor | None = None,
    offset: int = 0,
    in_batch_negatives: bool = True,
    temperature: float = 0.1,
    mask: Tensor | None = None,
    reduction: str = 'mean',
) -> Tensor:
    r"""InfoNCE whose negatives are other images of the anchor's own class.

    .. math:: \ell_i = -\log\frac{e^{\hat f_i\cdot\hat f_i^+/\tau}}{e^{\hat f_i\cdot\hat f_i^+/\tau} +
        \sum_{n\in\mathcal N_i} e^{\hat f_i\cdot\hat f_n/\tau}}, \qquad
        \mathcal N_i = \{n\ne i: y_n = y_i\}_{\text{batch}} \cup Q_{y_i}

    Everything is normalised inside (queue rows too); a zero vector has cosine 0 with all and gets no gradient. Half types are
    raised to fp32, autocast is off inside. Gradient reaches anchors, positives and in-batch negatives, never the queue.

    Args:
        anchors: Features ``(B, D)``, one row per image.
        positives: Features ``(B, D)`` of another view of the same images.
        labels: Classes ``(B,)``, integers in ``[0, C)``.
        queue: Features of earlier images ``(C, K, D)``, the negatives of each class. Defaults to None.
        filled: Number of valid slots of each class, ``(C,)``, from slot 0 on. Defaults to all.
        negatives: Pool ``(N, D)`` to use instead of the batch, for instance the batches of all
            processes. Defaults to None, the anchors themselves.
        negative_labels: Classes ``(N,)`` of the pool. Goes with ``negatives``.
        offset: Anchor ``i`` is row ``offset + i`` of the pool, and never its own negative. Defaults to 0.
        in_batch_negatives: Whether batch or pool are negatives. Defaults to True.
        temperature: :math:`\tau > 0`. The gradient grows as :math:`1/\tau`. Defaults to 0.1 (our choice).
        mask: Booleans ``(B,)``: the selected anchors. Defaults to None, all.
        reduction: ``'mean'`` over the selected anchors (an anchor without negatives counts as 0), ``'sum'`` of them, or
            ``'none'``: ``(B,)`` with 0 where not selected. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0; exactly 0, with a gradient path, when ``B`` is 0 or nothing is selected.

    Raises:
        TypeError: If a tensor but the mask has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.

    Source: Yuan et al. 2025, arXiv 2509.22053, Eq. 4; normalisation and temperature are our choice, no value is published.

    Example:
        >>> same = torch.ones(2, 4)
        >>> intra_class_contrastive_loss(same, same, torch.tensor([0, 0]))  # one negative, all cosines 1: log 2
        tensor(0.6931)
    """
    check_positive('temperature', temperature)
    _check_options(reduction, negatives, negative_labels, in_batch_negatives)
    _check_tensors(anchors, positives, labels, queue, filled, negatives, negative_labels, offset, mask)
    if anchors.size(0) == 0:
        empty = anchors.sum(dim=1) + positives.sum(dim=1)
        return empty if reduction == 'none' else empty.sum()

    with without_autocast(anchors):
        labels = labels.long()
        anchors = unit_rows(raised(anchors))
        positive = (anchors * unit_rows(raised(positives))).sum(dim=1) / temperature
        others = []
        if in_batch_negatives:
            pool, pool_labels = anchors, labels
            if negatives is not None and negative_labels is not None:
                pool, pool_labels = unit_rows(raised(negatives)), negative_labels.long()
            others.append(_batch_logsumexp(anchors, labels, pool, pool_labels, offset, temperature))
        if queue is not None:
            others.append(queue_logsumexp(anchors, labels, queue.detach(), filled, temperature))
        none = torch.full_like(positive, torch.finfo(positive.dtype).min)
        # log(e^p + e^n) - p as log(1 + e^(n - p)), which keeps the small losses of a well separated class exact
        losses = torch.logaddexp(reduce(torch.logaddexp, others, none) - positive, torch.zeros_like(positive))
        if mask is not None:
            losses = losses.where(mask, 0.0)
        if reduction == 'none':
            return losses
        if reduction == 'sum':
            return losses.sum()
        return losses.mean() if mask is None else losses.sum() / mask.sum().clamp_min(1)


def _batch_logsumexp(
    anchors: Tensor, labels: Tensor, pool: Tensor, pool_labels: Tensor, offset: int, temperature: float
) -> Tensor:
    """Log-sum-exp over the other rows of each anchor's class in the pool, ``(B,)``; very large and negative without any."""
    products = anchors @ pool.to(anchors.dtype).T / temperature
    rows = torch.arange(offset, offset + len(labels), device=labels.device)
    valid = (labels[:, None] == pool_labels) & (rows[:, None] != torch.arange(len(pool_labels), device=labels.device))
    return products.masked_fill(~valid, torch.finfo(products.dtype).min).logsumexp(dim=1)


def _check_options(reduction: str, negatives: Tensor | None, negative_labels: Tensor | None, in_batch_negatives: bool) -> None:
    check_reduction(reduction)
    if (negatives is None) != (negative_labels is None):
        raise ValueError('negatives and negative_labels go together, got only one of them')
    if negatives is not None and not in_batch_negatives:
        raise ValueError('negatives were given, but in_batch_negatives=False would ignore them; leave one out')


def _check_tensors(
    anchors: Tensor,
    positives: Tensor,
    labels: Tensor,
    queue: Tensor | None,
    filled: Tensor | None,
    negatives: Tensor | None,
    negative_labels: Tensor | None,
    offset: int,
    mask: Tensor | None,
) -> None:
    check_features('anchors', anchors)
    batch, width = anchors.shape
    check_features('positives', positives, width=width)
    if positives.size(0) != batch:
        raise ValueError(f'anchors and positives must pair up row by row, got {batch} and {positives.size(0)} rows')
    check_same_device(anchors=anchors, positives=positives, queue=queue, filled=filled, negatives=negatives, mask=mask)
    check_labels('labels', labels, batch, num_classes=None if queue is None else queue.size(0), like=anchors)
    if queue is not None:
        check_floating('queue', queue, ' (C, K, D)')
    if filled is not None and (filled.is_floating_point() or filled.dtype == torch.bool):
        raise TypeError(f'filled must be integers (C,), got {filled.dtype}')
    if queue is not None and (queue.ndim != 3 or queue.size(2) != width):
        raise ValueError(f'queue must have shape (C, K, {width}), got {tuple(queue.shape)}')
    if filled is not None and (queue is None or filled.shape != queue.shape[:1]):
        raise ValueError(f'filled must have shape (C,) and go with a queue (C, K, D), got {tuple(filled.shape)}')
    if mask is not None and (mask.dtype != torch.bool or mask.shape != (batch,)):
        raise ValueError(f'mask must be boolean of shape ({batch},), got {mask.dtype} {tuple(mask.shape)}')
    if negatives is not None and negative_labels is not None:
        check_features('negatives', negatives, width=width)
        check_labels('negative_labels', negative_labels, negatives.size(0), like=anchors)
        if not 0 <= offset <= negatives.size(0) - batch:
            raise ValueError(f'anchors must be rows of negatives: offset {offset} + {batch} rows exceed {negatives.size(0)}')
