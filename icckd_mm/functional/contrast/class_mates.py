"""Contrast of each row with all others, the positives being those of its class."""

from __future__ import annotations

import torch
from torch import Tensor


def contrast_with_mates(rows: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """Minus the mean over a row's class mates of their log-share among all other rows.

    Args:
        rows: ``(N, D)``; products of two rows are their similarity.
        labels: Classes ``(N,)``; each class has at least two rows.
        temperature: Above 0.

    Returns:
        ``(N,)``, at least 0.
    """
    products = rows @ rows.T / temperature
    itself = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    log_shares = products.masked_fill(itself, torch.finfo(products.dtype).min).log_softmax(dim=1)
    mates = (labels[:, None] == labels) & ~itself
    return -(log_shares.where(mates, 0.0).sum(dim=1) / mates.sum(dim=1))
