r"""Log-sum-exp of an anchor's cosines with the queue rows of its class, in three variants with equal results.

All have the signature ``(anchors (B, D), labels (B,), queue (C, K, D), filled (C,) | None, temperature) -> (B,)`` and return
:math:`\log\sum_{k<\mathrm{filled}} e^{a\cdot q_{y,k}/\tau}`, a very large negative number for a class without rows. Anchors are
unit rows; queue rows are normalised here. The queue never gets a gradient, and it may be overwritten before the backward pass.

The size of the gathered block ``B*K*D`` decides which is fastest, not ``C``; see ``docs/performance.md``.
"""

from __future__ import annotations

from typing import Any, Callable

import torch
from torch import Tensor

from icckd_mm.functional.tensor.snapshot import snapshot

MB = 1 << 20
CPU_GATHER_LIMIT = 32 * MB  # above it, reading each queue row once for all anchors of its class is faster
CUDA_CHUNK_LIMIT = 64 * MB


def queue_logsumexp(anchors: Tensor, labels: Tensor, queue: Tensor, filled: Tensor | None, temperature: float) -> Tensor:
    """Choose the variant for device and shapes."""
    gathered_bytes = anchors.size(0) * queue.size(1) * queue.size(2) * 4
    if anchors.device.type == 'cpu':
        # sorting needs the class counts on the host, which would break a graph
        grouped = gathered_bytes > CPU_GATHER_LIMIT and not torch.compiler.is_compiling()
        form = by_class if grouped else gathered
    else:
        form = gathered if gathered_bytes <= CUDA_CHUNK_LIMIT else in_chunks
    return form(anchors, labels, queue, filled, temperature)


def gathered(anchors: Tensor, labels: Tensor, queue: Tensor, filled: Tensor | None, temperature: float) -> Tensor:
    """Gather each anchor's class rows, then one batched product; the anchor on the left is 3 times faster than on the right."""
    rows = _class_rows(queue, labels, anchors.dtype)
    products = torch.bmm(anchors[:, None, :], rows.transpose(1, 2)).squeeze(1) / _scales(rows, temperature)
    return _masked(products, _written(filled, labels, queue.size(1))).logsumexp(dim=1)


def by_class(anchors: Tensor, labels: Tensor, queue: Tensor, filled: Tensor | None, temperature: float) -> Tensor:
    """One small matrix product for each class present; reads each queue row once. Needs the labels on the host."""
    return _GradientInForward.apply(anchors, _by_class, labels, queue, filled, temperature)


def in_chunks(anchors: Tensor, labels: Tensor, queue: Tensor, filled: Tensor | None, temperature: float) -> Tensor:
    """The gathered variant for a few anchors at a time, with bounded memory; no host sync."""
    return _GradientInForward.apply(anchors, _in_chunks, labels, queue, filled, temperature)


class _GradientInForward(torch.autograd.Function):
    """Computes the gradient in the forward pass: only ``(B, D)`` is stored, and the queue may change."""

    @staticmethod
    def forward(ctx: Any, anchors: Tensor, form: Callable[..., tuple[Tensor, Tensor]], *args: Any) -> Tensor:
        value, gradient = form(anchors, *args)
        ctx.save_for_backward(gradient)
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return grad[:, None] * gradient, None, None, None, None, None


def _by_class(
    anchors: Tensor, labels: Tensor, queue: Tensor, filled: Tensor | None, temperature: float
) -> tuple[Tensor, Tensor]:
    value = anchors.new_full((anchors.size(0),), torch.finfo(anchors.dtype).min)
    gradient = torch.zeros_like(anchors)
    counts = torch.full((queue.size(0),), queue.size(1)) if filled is None else filled
    order = labels.argsort(stable=True)
    classes, sizes = labels[order].unique_consecutive(return_counts=True)
    for label, members in zip(classes.tolist(), order.split(sizes.tolist())):
        rows = queue[label, : int(counts[label])].to(anchors.dtype)
        if len(rows):
            rows = rows / _scales(rows, temperature)[:, None]
            products = anchors[members] @ rows.T
            value[members] = products.logsumexp(dim=1)
            gradient[members] = products.softmax(dim=1) @ rows
    return value, gradient


def _in_chunks(
    anchors: Tensor, labels: Tensor, queue: Tensor, filled: Tensor | None, temperature: float
) -> tuple[Tensor, Tensor]:
    step = max(1, CUDA_CHUNK_LIMIT // (queue.size(1) * queue.size(2) * 4))
    values, gradients = [], []
    for some, some_labels in zip(anchors.split(step), labels.split(step)):
        rows = _class_rows(queue, some_labels, anchors.dtype)
        rows = rows / _scales(rows, temperature)[:, :, None]
        written = _written(filled, some_labels, queue.size(1))
        products = _masked(torch.bmm(some[:, None, :], rows.transpose(1, 2)).squeeze(1), written)
        weights = products.softmax(dim=1) if written is None else products.softmax(dim=1) * written
        values.append(products.logsumexp(dim=1))
        gradients.append(torch.bmm(weights[:, None, :], rows).squeeze(1))
    return torch.cat(values), torch.cat(gradients)


def _class_rows(queue: Tensor, labels: Tensor, dtype: torch.dtype) -> Tensor:
    """``queue[labels]`` as ``(B, K, D)``; copies whole classes, which is faster than advanced indexing."""
    classes, slots, width = queue.shape
    return snapshot(queue.reshape(classes, slots * width).index_select(0, labels).view(-1, slots, width).to(dtype))


def _scales(rows: Tensor, temperature: float) -> Tensor:
    """The divisor that turns a product with an anchor into cosine over temperature: row norm times temperature."""
    return torch.linalg.vector_norm(rows, dim=-1).clamp_min(torch.finfo(rows.dtype).tiny) * temperature


def _written(filled: Tensor | None, labels: Tensor, slots: int) -> Tensor | None:
    """``(B, K)``, True where a slot of the anchor's class has been written; slots are written from 0 upwards."""
    if filled is None:
        return None
    return torch.arange(slots, device=filled.device) < snapshot(filled.index_select(0, labels))[:, None]


def _masked(products: Tensor, valid: Tensor | None) -> Tensor:
    """Set invalid products to the lowest finite number: a row of only -inf would make the gradient NaN."""
    return products if valid is None else products.masked_fill(~valid, torch.finfo(products.dtype).min)
