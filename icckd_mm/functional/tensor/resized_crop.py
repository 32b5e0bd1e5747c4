"""Cuts a rectangle from each image of a batch and resizes it."""

from __future__ import annotations

import torch
from torch import Tensor


def resized_crop(images: Tensor, tops: Tensor, lefts: Tensor, heights: Tensor, widths: Tensor, size: int) -> Tensor:
    """Cut and resize, bilinear between the centres of pixels, as OpenCV does it.

    Args:
        images: ``(B, H, W, C)`` uint8.
        tops: Upper edges of the rectangles ``(B,)``, whole numbers in ``[0, H)``.
        lefts: Left edges ``(B,)``, in ``[0, W)``.
        heights: Heights ``(B,)``, in ``[1, H - top]``.
        widths: Widths ``(B,)``, in ``[1, W - left]``.
        size: Side of the results in pixels.

    Returns:
        ``(B, size, size, C)`` uint8. Rounding of fixed-point numbers in OpenCV can make a difference of 1.
    """
    above, below, down = _places(tops, heights, size)
    before, after, right = _places(lefts, widths, size)
    batch = torch.arange(len(images), device=images.device)[:, None, None]
    right, down = right[:, None, :, None], down[:, :, None, None]
    rows = []
    for row in (above, below):
        first, second = (images[batch, row[:, :, None], column[:, None, :]].float() for column in (before, after))
        rows.append(torch.lerp(first, second, right))
    return torch.lerp(rows[0], rows[1], down).add_(0.5).to(torch.uint8)


def _places(starts: Tensor, lengths: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each pixel of a result, its two neighbours along an axis of the image and the weight of the second, ``(B, size)``."""
    centres = torch.arange(size, device=starts.device) + 0.5
    place = (centres * lengths[:, None] / size - 0.5).clamp(min=0)
    lower = place.floor().long().minimum(lengths[:, None] - 1)
    upper = (lower + 1).minimum(lengths[:, None] - 1)
    return starts[:, None] + lower, starts[:, None] + upper, (place - lower).float()
