"""Numerics shared by all losses: at least single precision, and unit rows with finite gradients at zero."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor


def raised(x: Tensor) -> Tensor:
    """``x`` in at least single precision: half types become float32, float64 stays."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def without_autocast(x: Tensor) -> AbstractContextManager:
    """A context in which autocast does not lower the products of ``x`` to half precision."""
    if x.device.type in ('mps', 'meta'):  # torch.autocast refuses them, at least in some versions
        return nullcontext()
    return torch.autocast(device_type=x.device.type, enabled=False)


def not_finite_marks(x: Tensor) -> Tensor:
    """0 for each image whose numbers are finite, NaN for each other: added to a loss, it shows what a choice hides.

    A decision (argmax, a sign) or a probability of 0 turns NaN or infinity of a teacher into a plausible number.

    Args:
        x: Logits or features ``(B, ...)``.

    Returns:
        ``(B,)``, without gradient.

    Example:
        >>> not_finite_marks(torch.tensor([[0.0, 1.0], [0.0, -torch.inf]]))
        tensor([0., nan])
    """
    finite = x.detach().flatten(1).isfinite().all(dim=1)
    return torch.zeros_like(finite, dtype=torch.float32).masked_fill(~finite, torch.nan)


def unit_rows(x: Tensor) -> Tensor:
    """Rows of ``x`` divided by their Euclidean norm; a zero row stays zero and gets a zero gradient.

    ``torch.nn.functional.normalize`` divides a zero row by its ``eps``, which makes the gradient 1e12.

    Args:
        x: Features ``(..., D)`` in at least single precision.

    Returns:
        Rows of length 1 (or 0), same shape.

    Example:
        >>> unit_rows(torch.tensor([[3.0, 4.0], [0.0, 0.0]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.0000]])
    """
    norms = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / norms.masked_fill(norms == 0, torch.inf)
