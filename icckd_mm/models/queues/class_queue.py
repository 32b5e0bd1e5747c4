"""A first-in-first-out store of the last features of each class."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from icckd_mm.functional.tensor.checks import check_features, check_labels
from icckd_mm.functional.tensor.gather import all_gather_batch
from icckd_mm.functional.tensor.numerics import raised, unit_rows
from icckd_mm.registry import MODELS


@MODELS.register_module()
class ClassQueue(nn.Module):
    """The last ``capacity`` unit features of each class; a slot counts only once written.

    Three persistent buffers, so that a resumed run is bit-identical: ``queue`` ``(C, K, D)`` fp32 unit rows, ``ptr``
    ``(C,)`` the slot that is written next, ``filled`` ``(C,)`` the number of slots written. Memory: ``4*C*K*D`` bytes.

    Args:
        num_classes: ``C``.
        capacity: ``K``, slots of each class; 0 stores nothing.
        feat_dims: ``D``, width of the features.

    Raises:
        ValueError: If one of them is not an integer or too small.
    """

    queue: Tensor
    ptr: Tensor
    filled: Tensor

    def __init__(self, num_classes: int, capacity: int, feat_dims: int) -> None:
        super().__init__()
        sizes = (('num_classes', num_classes, 1), ('capacity (queue_size)', capacity, 0), ('feat_dims', feat_dims, 1))
        for name, size, least in sizes:
            if not isinstance(size, int) or size < least:
                raise ValueError(f'{name} must be an integer of at least {least}, got {size!r}')
        self.num_classes, self.capacity, self.feat_dims = num_classes, capacity, feat_dims
        self.register_buffer('queue', torch.zeros(num_classes, capacity, feat_dims))
        self.register_buffer('ptr', torch.zeros(num_classes, dtype=torch.long))
        self.register_buffer('filled', torch.zeros(num_classes, dtype=torch.long))

    def enqueue(self, features: Tensor, labels: Tensor) -> None:
        """Store the rows of all processes, in rank order, so that the queues of all processes stay identical.

        Args:
            features: ``(B, D)``, any batch size, which may differ between processes. Rows are normalised; a row with
                a non-finite value is skipped. Of more than ``K`` rows of a class the last ``K`` are kept.
            labels: Classes ``(B,)``.

        Raises:
            TypeError: If the features are not floating-point or the labels not integers.
            ValueError: If shapes, devices or values do not fit.
        """
        check_features('features', features, width=self.feat_dims)
        check_labels('labels', labels, features.size(0), num_classes=self.num_classes, like=features)
        self.write(*all_gather_batch(features.detach(), labels, filler=self.num_classes)[:2])

    @torch.no_grad()
    def write(self, features: Tensor, labels: Tensor) -> None:
        """Store rows that are already the same on every process, see :meth:`enqueue`; skips rows labelled ``num_classes``.

        Neither Python loops nor host syncs: rows are sorted by class, the ``r``-th row of a class goes to slot
        ``(ptr + r) % K``. Rows that must not be stored repeat the write of another row, since two writes with
        different values to one slot are not deterministic on a GPU.
        """
        batch = features.size(0)
        if batch == 0 or self.capacity == 0:
            return
        rows = raised(features)
        norms = torch.linalg.vector_norm(rows, dim=1)
        spare = self.num_classes  # the class of rows with a NaN or infinity; sorts after all others
        ordered, order = labels.long().where(norms.isfinite(), spare).sort(stable=True)
        position = torch.arange(batch, device=rows.device)
        rank = position - torch.searchsorted(ordered, ordered)
        finite = ordered < spare
        stays = finite
        if batch > self.capacity:  # a row is overwritten when K more of its class follow
            stays = finite.clone()
            stays[: -self.capacity] &= ordered[: -self.capacity] != ordered[self.capacity :]
        pick = position.where(stays, (finite.sum() - 1).clamp_min(0))  # the last finite row is always kept

        label = ordered.clamp_max(spare - 1)
        slot = (self.ptr.index_select(0, label) + rank) % self.capacity
        target = (label * self.capacity + slot).index_select(0, pick)
        source = order.index_select(0, pick)
        bank = self.queue.view(-1, self.feat_dims)
        unit = unit_rows(rows.index_select(0, source)).to(bank.dtype)
        # without any finite row, the one slot that is written keeps its value
        bank.index_copy_(0, target, unit.where(finite[0], bank.index_select(0, target)))

        added = torch.zeros_like(self.ptr).scatter_add_(0, label, finite.long())
        self.ptr.add_(added).remainder_(self.capacity)
        self.filled.add_(added).clamp_(max=self.capacity)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any, **kwargs: Any) -> None:
        """Refuse another size: mmengine would only log it and resume with an empty queue."""
        stored = state_dict.get(f'{prefix}queue')
        if stored is not None and stored.shape != self.queue.shape:
            raise ValueError(
                f'{prefix}queue in the checkpoint has (C, K, D) = {tuple(stored.shape)}, the model {tuple(self.queue.shape)}; '
                'set num_classes, queue_size and feat_dims to the same values, or delete the icc_loss.* keys from the file'
            )
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def extra_repr(self) -> str:
        return f'num_classes={self.num_classes}, capacity={self.capacity}, feat_dims={self.feat_dims}'
