"""Rows of all processes, in rank order."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor


def world_size() -> int:
    """The number of processes that train together; 1 without ``torch.distributed``."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def all_gather_rows(rows: Tensor) -> Tensor:
    """The rows of all processes, stacked in rank order; gradient flows back to every process.

    mmpretrain's ``GatherLayer`` keeps only the gradient of the own rank, which is wrong for a loss that uses other ranks' rows.

    Args:
        rows (Tensor): ``(B, ...)``, the same shape on every process.

    Returns:
        Tensor: ``(W * B, ...)``; ``rows`` itself when there is one process.
    """
    if world_size() == 1:
        return rows
    rows = rows.contiguous()
    if rows.requires_grad and torch.is_grad_enabled():
        from torch.distributed.nn.functional import all_gather  # costs 0.1 s, and only several processes need it

        return torch.cat(all_gather(rows))
    parts = [torch.empty_like(rows) for _ in range(world_size())]
    dist.all_gather(parts, rows)
    return torch.cat(parts)
