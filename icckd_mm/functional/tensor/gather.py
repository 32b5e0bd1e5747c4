"""Gathers rows of all processes, in rank order."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn.functional import pad


def world_size() -> int:
    """The number of processes that train together; 1 without ``torch.distributed``."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def all_gather_rows(rows: Tensor) -> Tensor:
    """The rows of all processes, stacked in rank order; gradient flows back to every process.

    mmpretrain's ``GatherLayer`` keeps only the gradient of the own rank, which is wrong for a loss that uses other ranks' rows.

    Args:
        rows: ``(B, ...)``, the same shape on every process; :func:`all_gather_batch` takes unequal ones.

    Returns:
        ``(W * B, ...)``; ``rows`` itself when there is one process.
    """
    if world_size() == 1:
        return rows
    rows = rows.contiguous()
    if rows.requires_grad and torch.is_grad_enabled():
        from torch.distributed.nn.functional import all_gather  # takes 0.1 s, and only several processes need it

        return torch.cat(all_gather(rows, group=dist.group.WORLD))  # its default is the group at the time of its import
    parts = [torch.empty_like(rows) for _ in range(world_size())]
    dist.all_gather(parts, rows)
    return torch.cat(parts)


def all_gather_batch(features: Tensor, labels: Tensor, filler: int, size: int | None = None) -> tuple[Tensor, Tensor, int]:
    """The labelled rows of all processes in rank order; their batches may differ in size or be empty.

    Every process sends ``size`` rows. A smaller batch is padded with zero rows, whose label belongs to no class: a loss that
    selects rows of one class and :meth:`icckd_mm.models.ClassQueue.write` ignore them. So nothing has to be cut off, which
    would need the sizes on the host.

    Args:
        features: ``(B, D)``, ``B`` may differ between processes; gradient flows back to every process.
        labels: Classes ``(B,)``.
        filler: Label of padding rows, the number of classes.
        size: The same on every process, at least the largest ``B``. Defaults to None: found by
            :func:`largest_batch`, for which the host waits. A given size saves this exchange.

    Returns:
        Features ``(W * size, D)``, labels ``(W * size,)``, and the row at which this process's
        batch begins. With one process the batch itself, and 0.

    Raises:
        ValueError: If the batch has more than ``size`` rows.
    """
    if world_size() == 1:
        return features, labels, 0
    if size is None:
        size = largest_batch(labels.size(0), labels.device)
    missing = size - labels.size(0)
    if missing < 0:
        raise ValueError(
            f'a batch of {labels.size(0)} rows, but the processes have agreed on {size} at most, the batch_size of the '
            "training loader; set the loss's batch_size to None, so that they exchange the sizes in each step"
        )
    if missing:
        features, labels = pad(features, (0, 0, 0, missing)), pad(labels.long(), (0, missing), value=filler)
    if size == 0:
        return features, labels, 0
    return all_gather_rows(features), all_gather_rows(labels.long()), dist.get_rank() * size


def largest_batch(size: int, device: torch.device) -> int:
    """The largest ``size`` of all processes; the host waits for it.

    Args:
        size: Size of this process.
        device: Device on which the backend exchanges tensors: the GPU with NCCL, the CPU with gloo.

    Returns:
        The largest size, the same on every process.
    """
    if world_size() == 1:
        return size
    largest = torch.tensor(size, device=device)
    dist.all_reduce(largest, op=dist.ReduceOp.MAX)
    return int(largest)
