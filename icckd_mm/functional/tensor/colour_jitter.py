"""Changes colours of a whole batch of images, by another amount for each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LUMA = (7471, 38470, 19595)  # of blue, green, red in Pillow, in 65536ths


def jitter_colours(images: Tensor, factors: Tensor, order: Tensor) -> Tensor:
    """Scale brightness, contrast and saturation, to the bit as ``ColorJitter`` of mmpretrain does with Pillow.

    Args:
        images: ``(B, H, W, 3)`` uint8, blue first.
        factors: ``(B, 3)``, of brightness, contrast and saturation; 1 changes nothing, 0 gives black, the mean grey, and grey.
        order: ``(B, 3)``, which of the three comes first, second and third.

    Returns:
        Images of the same shape and type.
    """
    factors = factors.to(torch.float32)[:, :, None, None, None]
    for step in order.unbind(1):
        luma = _luma(images)
        mean = (luma.double().mean((1, 2, 3), keepdim=True) + 0.5).floor().to(torch.float32)
        less = torch.stack([torch.zeros_like(luma), mean.expand_as(luma), luma])  # what a factor of 0 would give
        batch = torch.arange(len(images), device=images.device)
        images = _blended(less[step, batch], images, factors[batch, step])
    return images


def greyed(images: Tensor, weights: Sequence[float], chosen: Tensor) -> Tensor:
    """Some images without their colours, as ``RandomGrayscale`` of mmcv gives them with ``keep_channels``.

    Args:
        images: ``(B, H, W, 3)`` uint8.
        weights: Weight of each channel; they are divided by their sum.
        chosen: Which images ``(B,)``, bool.

    Returns:
        Images of the same shape and type.
    """
    shares = torch.tensor(weights, dtype=torch.float64, device=images.device) / sum(weights)
    parts = (images * shares).unbind(3)
    grey = ((parts[0] + parts[1]) + parts[2]).to(torch.uint8)
    return torch.where(chosen[:, None, None, None], grey[..., None], images)


def _luma(images: Tensor) -> Tensor:
    """Brightness of each pixel ``(B, H, W, 1)``, whole numbers as float32."""
    total = (images.int() * torch.tensor(LUMA, dtype=torch.int32, device=images.device)).sum(3, keepdim=True)
    return (total + 0x8000 >> 16).to(torch.float32)


def _blended(less: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    """``less + factor (images - less)``, cut off to whole numbers in ``[0, 255]``."""
    return (less + factor * (images.to(torch.float32) - less)).clamp_(0, 255).to(torch.uint8)
