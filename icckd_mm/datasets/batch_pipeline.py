"""Translates a training pipeline of mmpretrain for a loader that augments whole batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ALLOWED = {
    'RandomCrop': {'crop_size', 'padding', 'pad_val'},
    'RandomFlip': {'prob', 'direction'},
    'MultiView': {'num_views', 'transforms'},
    'PackInputs': set(),
    'LoadImageFromFile': {'to_float32', 'color_type', 'imdecode_backend', 'backend_args'},
}


@dataclass
class BatchPipeline:
    """Crop, flip and number of views of a pipeline.

    Attributes:
        loading: Deterministic transforms, which run once.
        crop_size: Side of the random crop in pixels, None without one.
        padding: Border added before the crop, in pixels.
        pad_value: Value of the border.
        flip: Probability of a horizontal flip.
        views: 1 or 2.
    """

    loading: list[dict] = field(default_factory=list)
    crop_size: int | None = None
    padding: int = 0
    pad_value: int = 0
    flip: float = 0.0
    views: int = 1


def read_pipeline(pipeline: list[dict]) -> BatchPipeline:
    """Translate a pipeline of mmpretrain.

    Args:
        pipeline: Configs of ``LoadImageFromFile``, ``RandomCrop``, horizontal ``RandomFlip``, ``MultiView`` of two
            equal views, and ``PackInputs``.

    Returns:
        Its settings.

    Raises:
        ValueError: If it has any other transform; names it.
    """
    found = BatchPipeline()
    for transform in pipeline:
        _read(transform, found)
    return found


def _read(transform: dict, found: BatchPipeline) -> None:
    given = {name: value for name, value in transform.items() if name != 'type'}
    kind = str(transform['type']).rsplit('.', 1)[-1]
    if kind not in ALLOWED or not set(given) <= ALLOWED[kind]:
        surplus = kind if kind not in ALLOWED else f'{kind} with {", ".join(sorted(set(given) - ALLOWED[kind]))}'
        raise ValueError(f'DeviceLoader does not support {surplus}, only {", ".join(ALLOWED)}; use the default loader')
    if kind == 'LoadImageFromFile':
        found.loading.append(transform)
    elif kind == 'RandomCrop':
        found.crop_size, found.padding = _whole('crop_size', given['crop_size']), _whole('padding', given.get('padding') or 0)
        found.pad_value = _whole('pad_val', given.get('pad_val', 0))
    elif kind == 'RandomFlip':
        if given.get('direction', 'horizontal') != 'horizontal':
            raise ValueError(f'DeviceLoader flips horizontally only, got direction={given["direction"]!r}')
        found.flip = float(given.get('prob', 0.5))
    elif kind == 'MultiView':
        if given['num_views'] not in (2, [2]) or len(given['transforms']) != 1:
            raise ValueError(f'DeviceLoader makes two views by one pipeline, got num_views={given["num_views"]}')
        found.views = 2
        for inner in given['transforms'][0]:
            _read(inner, found)


def _whole(name: str, value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f'DeviceLoader needs {name} as one whole number of pixels, got {value!r}')
    return value
