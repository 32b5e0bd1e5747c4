"""Random numbers without a state: each is a function of its address."""

from __future__ import annotations

import torch
from torch import Tensor

GOLDEN = -7046029254386353131  # 2^64 / golden ratio, as a signed number; odd, so that no two addresses meet
MIXERS = (-4658895280553007687, -7723592293110705685)


def counter_uniform(*address: int | Tensor) -> Tensor:
    r"""Uniform numbers in ``[0, 1)``, the same on every device and in any order.

    Each part of the address is mixed into a hash of 64 bits, whose upper 53 become the number.

    Args:
        *address: Whole numbers such as seed, epoch, index and the number of the draw, tensors of them broadcast;
            at least one tensor.

    Returns:
        Float64 numbers of the broadcast shape, on the device of the tensors.

    Source: the finalizer of SplitMix64 (Steele, Lea, Flood 2014); its use as a hash of addresses is our choice.

    Example:
        >>> counter_uniform(0, torch.arange(3)).round(decimals=3)
        tensor([0.6520, 0.7010, 0.3870], dtype=torch.float64)
    """
    device = next(part.device for part in address if isinstance(part, Tensor))
    state = torch.zeros((), dtype=torch.int64, device=device)
    for part in address:
        state = _mixed(state + GOLDEN * (torch.as_tensor(part, device=device) + 1))
    return (state >> 11 & (1 << 53) - 1).to(torch.float64) * 2.0**-53


def _mixed(state: Tensor) -> Tensor:
    """SplitMix64's finalizer; products wrap, and a mask makes the shift one of unsigned numbers."""
    for shift, factor in zip((30, 27), MIXERS):
        state = (state ^ (state >> shift & (1 << 64 - shift) - 1)) * factor
    return state ^ (state >> 31 & (1 << 33) - 1)
