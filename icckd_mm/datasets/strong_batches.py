"""The transforms of a strong view, for a whole batch at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial

import torch
from torch import Tensor

from icckd_mm.functional.tensor.colour_jitter import greyed, jitter_colours
from icckd_mm.functional.tensor.counter_random import counter_uniform
from icckd_mm.functional.tensor.resized_crop import resized_crop

ORDERS = list(itertools.permutations(range(3)))
ATTEMPTS = 10  # of mmpretrain's RandomResizedCrop, before it takes the whole image


@dataclass(frozen=True)
class StrongView:
    """Settings of resized crop, flip, colour jitter and grey; the transforms of mmpretrain and mmcv say what they mean.

    Attributes:
        size: ``scale`` of ``RandomResizedCrop``.
        area: Its ``crop_ratio_range``.
        aspect: Its ``aspect_ratio_range``.
        flip: ``prob`` of ``RandomFlip``.
        jitter: ``prob`` of the ``RandomApply`` around ``ColorJitter``.
        colours: Its ``brightness``, ``contrast`` and ``saturation``.
        grey: ``prob`` of ``RandomGrayscale``.
        weights: Its ``channel_weights``.
    """

    size: int
    area: tuple[float, float] = (0.08, 1.0)
    aspect: tuple[float, float] = (3 / 4, 4 / 3)
    flip: float = 0.0
    jitter: float = 0.0
    colours: tuple[float, float, float] = (0.0, 0.0, 0.0)
    grey: float = 0.0
    weights: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class StrongDraws:
    """What was drawn for each image of an epoch, ``(N,)`` or ``(N, 3)``; see the functions that use it."""

    tops: Tensor
    lefts: Tensor
    heights: Tensor
    widths: Tensor
    flips: Tensor
    factors: Tensor
    order: Tensor
    greys: Tensor

    def __getitem__(self, rows: Tensor) -> StrongDraws:
        return StrongDraws(*(getattr(self, field.name)[rows] for field in fields(self)))


def draw(view: StrongView, sides: tuple[int, int], address: Sequence[int | Tensor]) -> StrongDraws:
    """Draw a strong view of images, with the distribution of the single transforms.

    Args:
        view: Settings.
        sides: Height and width of the images.
        address: Address of the random numbers but for the last part, with one tensor ``(N,)``: the index of the image.

    Returns:
        The draws.
    """
    uniform = partial(counter_uniform, *address)
    jittered = uniform(1) < view.jitter
    factors = torch.stack([1 + spread * (2 * uniform(2 + part) - 1) for part, spread in enumerate(view.colours)], 1)
    orders = torch.tensor(ORDERS, device=jittered.device)
    tops, lefts, heights, widths = _rectangles(view, sides, uniform)
    return StrongDraws(
        tops,
        lefts,
        heights,
        widths,
        flips=uniform(0) < view.flip,
        factors=torch.where(jittered[:, None], factors, torch.ones_like(factors)),
        order=orders[(uniform(5) * len(ORDERS)).long()],
        greys=uniform(6) < view.grey,
    )


def apply(view: StrongView, images: Tensor, drawn: StrongDraws) -> Tensor:
    """The strong views of images.

    Args:
        view: Settings.
        images: ``(B, H, W, 3)`` uint8, blue first.
        drawn: The draws of these images.

    Returns:
        ``(B, size, size, 3)`` uint8.
    """
    images = resized_crop(images, drawn.tops, drawn.lefts, drawn.heights, drawn.widths, view.size)
    images = torch.where(drawn.flips[:, None, None, None], images.flip(2), images)
    if view.jitter and any(view.colours):
        images = jitter_colours(images, drawn.factors, drawn.order)
    return greyed(images, view.weights, drawn.greys) if view.grey else images


def _rectangles(view: StrongView, sides: tuple[int, int], uniform: Callable[[int], Tensor]) -> list[Tensor]:
    """Upper and left edge, height and width: the first of some attempts that fits into the image, else the image's middle."""
    high, wide = sides
    places = _middle(view, sides, uniform(0))
    found = torch.zeros_like(places[0], dtype=torch.bool)
    low, top = (math.log(bound) for bound in view.aspect)
    for attempt in range(ATTEMPTS):
        area, ratio, down, right = (uniform(7 + 4 * attempt + part) for part in range(4))
        area = (view.area[0] + (view.area[1] - view.area[0]) * area) * high * wide
        ratio = (low + (top - low) * ratio).exp()
        width, height = ((side.sqrt()).round().long() for side in (area * ratio, area / ratio))
        fits = (width > 0) & (width <= wide) & (height > 0) & (height <= high) & ~found
        tried = ((down * (high - height + 1)).long(), (right * (wide - width + 1)).long(), height, width)
        places = [torch.where(fits, new, old) for new, old in zip(tried, places)]
        found |= fits
    return places


def _middle(view: StrongView, sides: tuple[int, int], like: Tensor) -> list[Tensor]:
    """The largest rectangle in the middle whose aspect ratio is allowed."""
    high, wide = sides
    height, width = high, wide
    if wide / high < view.aspect[0]:
        height = round(wide / view.aspect[0])
    elif wide / high > view.aspect[1]:
        width = round(high * view.aspect[1])
    numbers = ((high - height) // 2, (wide - width) // 2, height, width)
    return [torch.full_like(like, number, dtype=torch.long) for number in numbers]
