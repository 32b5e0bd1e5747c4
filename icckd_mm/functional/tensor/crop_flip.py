"""Crops and flips a whole batch of images at once."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def pack_images(images: Tensor, padding: int = 0, pad_value: int = 0) -> Tensor:
    """Pack each pixel into one integer, so that a crop copies pixels instead of single channels.

    Args:
        images: ``(N, H, W, C)`` uint8 with at most 4 channels.
        padding: Border of each side in pixels. Defaults to 0.
        pad_value: Value of the border, in ``[0, 255]``. Defaults to 0.

    Returns:
        ``(N, H + 2 padding, W + 2 padding)`` int32.

    Raises:
        ValueError: If the images have another type or shape.
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or not 1 <= images.size(3) <= 4:
        raise ValueError(f'images must be uint8 (N, H, W, C) with C <= 4, got {images.dtype} {tuple(images.shape)}')
    border = (0, 4 - images.size(3), padding, padding, padding, padding)
    return F.pad(images, border, value=pad_value).contiguous().view(torch.int32).squeeze(3)


def crop_and_flip(packed: Tensor, rows: Tensor, tops: Tensor, lefts: Tensor, flips: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut a window from each chosen image and flip it if asked.

    Args:
        packed: ``(N, H, W)`` int32 of :func:`pack_images`.
        rows: Which images ``(B,)``, in ``[0, N)``.
        tops: Upper edges of the windows ``(B,)``, in ``[0, H - h]``.
        lefts: Left edges ``(B,)``, in ``[0, W - w]``.
        flips: Whether to mirror left and right ``(B,)``, bool.
        size: Height ``h`` and width ``w`` of the windows.

    Returns:
        ``(B, h, w, 4)`` uint8; the last channels may be padding of :func:`pack_images`.
    """
    windows = packed.unfold(1, size[0], 1).unfold(2, size[1], 1)  # a view of every window; only the chosen ones are copied
    window = windows[rows, tops, lefts]
    window = torch.where(flips[:, None, None], window.flip(2), window)
    return window.view(torch.uint8).reshape(len(rows), *size, 4)
