"""A strongly augmented second view of each image, for the positive of a contrastive loss."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any


def strong_transforms(size: int) -> list[dict[str, Any]]:
    """Resized crop, flip, colour jitter and grey: what changes an image without changing what it shows.

    Args:
        size: Side of the view in pixels.

    Returns:
        Configs of transforms of mmpretrain, for one view of ``MultiView``.

    Source: The colour transforms are those of SimCLR, Chen et al. 2020, arXiv 2002.05709, at half strength, as in MoCo v2,
    without its change of hue, which fails in mmcv with NumPy 2; crops of at least 0.3 of the area are our choice for small
    images.
    """
    return [
        dict(type='RandomResizedCrop', scale=size, crop_ratio_range=(0.3, 1.0)),
        dict(type='RandomFlip', prob=0.5, direction='horizontal'),
        dict(
            type='RandomApply',
            prob=0.8,
            transforms=[dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4)],
        ),
        dict(type='RandomGrayscale', prob=0.2, keep_channels=True, channel_weights=(0.114, 0.587, 0.2989)),
    ]


def with_strong_positive(pipeline: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A pipeline of two equal views with a strong second view of the same size.

    Args:
        pipeline: Has ``MultiView`` with ``num_views=2`` and one list of transforms, among them a ``RandomCrop`` or
            ``RandomResizedCrop``.

    Returns:
        A copy; view 1, which cross-entropy sees, is as before.

    Raises:
        ValueError: If the pipeline is another.
    """
    changed = copy.deepcopy(list(pipeline))
    found = [step for step in changed if step['type'] == 'MultiView']
    if len(found) != 1 or found[0]['num_views'] not in (2, [2]) or len(found[0]['transforms']) != 1:
        raise ValueError(
            'a strong positive needs one MultiView with num_views=2 and one list of transforms in the training pipeline, got '
            f'{[step["type"] for step in changed]}'
        )
    (weak,) = found[0]['transforms']
    sizes = [step.get('crop_size', step.get('scale')) for step in weak if step['type'] in ('RandomCrop', 'RandomResizedCrop')]
    if len(sizes) != 1 or not isinstance(sizes[0], int):
        raise ValueError(f'a strong positive has the size of the random crop, of which the pipeline has {sizes or "none"}')
    found[0].update(num_views=[1, 1], transforms=[weak, strong_transforms(sizes[0])])
    return changed
