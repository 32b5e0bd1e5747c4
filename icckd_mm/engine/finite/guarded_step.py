"""Checks every gradient between backward and update; undoes the update if one is not finite."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.optim import OptimWrapper
from torch import Tensor, nn

NEVER = torch.iinfo(torch.int64).max
TOGETHER = 1 << 24  # numbers that are restored at a time; one kernel for each tensor keeps a GPU waiting


@dataclass
class Fault:
    """A fault that :meth:`GuardedStep.read` found.

    Attributes:
        iteration: The first bad iteration, from 0.
        dropped: Updates skipped since the last read.
        parameters: Parameters whose gradient was not finite then, in the order of the model.
    """

    iteration: int
    dropped: int
    parameters: list[str]


class GuardedStep:
    """Replaces ``backward`` and ``step`` of an ``OptimWrapper`` and keeps a record on the device.

    A non-finite loss makes all its gradients NaN, so one check of the gradients finds both. As DDP averages gradients,
    all processes decide the same without communication. Gradients are checked before they are clipped, by their norm: one
    that overflows (beyond 1e19) counts as a fault too. Under a
    ``GradScaler`` the scaler skips the update, and an overflow counts as a fault at a scale of 1 or less only.

    Args:
        wrapper: Changed until :meth:`detach`.
        model: Its parameters that need a gradient are watched; not a DDP wrapper.
        deferred: Whether the host checks in :meth:`read` only, not in each step.
    """

    first: Tensor
    dropped: Tensor
    bad: Tensor
    norms: Tensor

    def __init__(self, wrapper: OptimWrapper, model: nn.Module, deferred: bool) -> None:
        named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
        if not named:
            raise ValueError(f'{type(model).__name__} has no parameter that needs a gradient; nothing would be trained')
        self.names, self.parameters = zip(*named)
        self.wrapper: Any = wrapper
        self.deferred, self.iteration = deferred, 0
        self._zero = torch.zeros((), device=self.parameters[0].device)
        self._forget()
        self._backward, self._step = wrapper.backward, wrapper.step
        self.wrapper.backward, self.wrapper.step = self.backward, self.step

    def detach(self) -> None:
        """Restore the wrapper's own methods."""
        self.wrapper.backward, self.wrapper.step = self._backward, self._step

    @property
    def scaler(self) -> Any:
        """The ``GradScaler`` in use, or None."""
        scaler = getattr(self.wrapper, 'loss_scaler', None)
        return scaler if scaler is not None and scaler.is_enabled() else None

    def backward(self, loss: Tensor, **kwargs: Any) -> None:
        """``OptimWrapper.backward``, then the record."""
        finite = loss.detach().isfinite()
        one = torch.ones_like(finite, dtype=loss.dtype)
        self._backward(loss, gradient=one.where(finite, float('nan')), **kwargs)
        with torch.no_grad():
            norms = self._norms()
            bad = ~norms.isfinite().all()
            if self.scaler is not None:
                bad = ~finite | (bad & (self.scaler._get_scale_async() <= 1))  # get_scale() would wait for the device
            new = bad & (self.first == NEVER)
            self.norms = norms.where(new, self.norms)
            self.first = self.first.where(~new, self.iteration)
            self.bad = bad

    @torch.no_grad()
    def step(self, **kwargs: Any) -> None:
        """``OptimWrapper.step``, without effect where a gradient is not finite."""
        if self.scaler is not None:
            self._step(**kwargs)
        elif self.deferred:
            with undone_where(self.wrapper.optimizer, self.bad):
                self._step(**kwargs)
        elif not self.bad:
            self._step(**kwargs)
        self.dropped = self.dropped + self.bad

    step._with_counter = True  # type: ignore[attr-defined]  # it calls the one that mmengine's schedulers have put there

    def read(self) -> Fault | None:
        """The fault since the last read, the same on all processes; waits for the device."""
        record = torch.stack([self.first, -self.dropped])
        if get_world_size() > 1:
            all_reduce(record, 'min')
        first, dropped = record.tolist()
        if first == NEVER:
            return None
        finite = self.norms.isfinite().tolist()
        self._forget()
        return Fault(first, -dropped, [name for name, fine in zip(self.names, finite) if not fine])

    def _forget(self) -> None:
        self.first = torch.full_like(self._zero, NEVER, dtype=torch.int64)
        self.dropped = torch.zeros_like(self.first)
        self.bad = self._zero.bool()
        self.norms = self._zero.expand(len(self.names))

    def _norms(self) -> Tensor:
        """Euclidean norms ``(P,)`` of the gradients, 0 without one; the maximum norm is 20 times slower on a CPU."""
        present = [parameter.grad for parameter in self.parameters if parameter.grad is not None]
        found = iter(torch._foreach_norm(present) if present else ())
        return torch.stack([next(found) if parameter.grad is not None else self._zero for parameter in self.parameters])


@contextmanager
def undone_where(optimizer: torch.optim.Optimizer, bad: Tensor) -> Iterator[None]:
    """Undo the update inside the block if ``bad``: weights and optimizer state keep their values; no sync with the host.

    Fused optimizers have a switch for it. For all others weights and state are copied before and restored after, which costs
    their memory again. Counters that an optimizer does not keep on the device of
    ``bad`` (``Adam`` without ``fused`` or ``capturable``) are not undone.

    Args:
        optimizer: Any optimizer of torch.
        bad: Scalar bool.
    """
    if getattr(optimizer, '_step_supports_amp_scaling', False):
        known = set(map(id, _state(optimizer, bad.device)))
        optimizer.found_inf = bad.float()  # type: ignore[attr-defined]
        try:
            yield
        finally:
            del optimizer.found_inf  # type: ignore[attr-defined]
    else:
        tensors = _state(optimizer, bad.device)
        known = set(map(id, tensors))
        tensors += [p.detach() for group in optimizer.param_groups for p in group['params'] if p.grad is not None]
        copies = [torch.empty_like(tensor) for tensor in tensors]
        torch._foreach_copy_(copies, tensors)
        yield
        (restore_each if bad.device.type == 'cpu' else restore_together)(tensors, copies, bad)
    for tensor in _state(optimizer, bad.device):
        if id(tensor) not in known:  # made by this update: a fresh state is all zeros
            tensor.masked_fill_(bad, 0)


def restore_each(tensors: list[Tensor], copies: list[Tensor], bad: Tensor) -> None:
    """Give each tensor the values of its copy if ``bad``."""
    for tensor, copy in zip(tensors, copies):
        torch.where(bad, copy, tensor, out=tensor)


@torch.no_grad()
def restore_together(tensors: list[Tensor], copies: list[Tensor], bad: Tensor) -> None:
    """:func:`restore_each` with few kernels, for a GPU: many tensors of one type make one row of numbers."""
    for places in _groups(tensors):
        chosen = [tensors[place] for place in places]
        before, after = (torch.cat([one.reshape(-1) for one in many]) for many in ([copies[place] for place in places], chosen))
        parts = torch.where(bad, before, after).split([one.numel() for one in chosen])
        torch._foreach_copy_(chosen, [part.view(one.shape) for part, one in zip(parts, chosen)])


def _groups(tensors: list[Tensor]) -> list[list[int]]:
    """Places of tensors of one type that have at most ``TOGETHER`` numbers, or of a single one."""
    found: list[list[int]] = []
    latest: dict[torch.dtype, tuple[list[int], int]] = {}
    for place, tensor in enumerate(tensors):
        group, size = latest.get(tensor.dtype, ([], TOGETHER))
        if size + tensor.numel() > TOGETHER:
            group, size = [], 0
            found.append(group)
        group.append(place)
        latest[tensor.dtype] = group, size + tensor.numel()
    return found


def _state(optimizer: torch.optim.Optimizer, device: torch.device) -> list[Tensor]:
    values = (value for state in optimizer.state.values() for value in state.values())
    return [value for value in values if isinstance(value, Tensor) and value.device == device]
