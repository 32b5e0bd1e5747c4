"""Translates a training pipeline of mmpretrain for a loader that augments whole batches."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

from icckd_mm.datasets.strong_batches import StrongView

ALLOWED = {
    'RandomCrop': {'crop_size', 'padding', 'pad_val'},
    'RandomFlip': {'prob', 'direction'},
    'MultiView': {'num_views', 'transforms'},
    'PackInputs': set(),
    'LoadImageFromFile': {'to_float32', 'color_type', 'imdecode_backend', 'backend_args'},
}
STRONG = {  # in this order, in a second view
    'RandomResizedCrop': {'scale', 'crop_ratio_range', 'aspect_ratio_range'},
    'RandomFlip': {'prob', 'direction'},
    'RandomApply': {'prob', 'transforms'},
    'RandomGrayscale': {'prob', 'keep_channels', 'channel_weights'},
}
NEEDED = {  # arguments without a default
    'RandomCrop': {'crop_size'},
    'MultiView': {'num_views', 'transforms'},
    'RandomResizedCrop': {'scale'},
    'RandomApply': {'transforms'},
}
JITTER = {'brightness', 'contrast', 'saturation'}


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
        strong: Settings of the second view if it differs from the first.
    """

    loading: list[dict] = field(default_factory=list)
    crop_size: int | None = None
    padding: int = 0
    pad_value: int = 0
    flip: float = 0.0
    views: int = 1
    strong: StrongView | None = None


def read_pipeline(pipeline: list[dict]) -> BatchPipeline:
    """Translate a pipeline of mmpretrain.

    Args:
        pipeline: Configs of ``LoadImageFromFile``, ``RandomCrop``, horizontal ``RandomFlip``, ``MultiView`` and ``PackInputs``.
            ``MultiView`` makes two equal views, or one such view and one of
            :func:`icckd_mm.datasets.strong_view.strong_transforms`.

    Returns:
        Its settings.

    Raises:
        ValueError: If it has any other transform, or one whose arguments cannot be used; names it.
    """
    found = BatchPipeline()
    for transform in _configs('the pipeline', pipeline):
        _read(transform, found)
    if found.strong and found.strong.size != found.crop_size:
        raise ValueError(
            f'DeviceLoader needs two views of one size, got crop_size={found.crop_size} and scale={found.strong.size}'
        )
    return found


def _read(transform: dict, found: BatchPipeline) -> None:
    kind, given = _checked(transform, ALLOWED)
    if kind == 'LoadImageFromFile':
        found.loading.append(transform)
    elif kind == 'RandomCrop':
        found.crop_size, found.padding = _whole('crop_size', given['crop_size']), _whole('padding', given.get('padding') or 0)
        found.pad_value = _whole('pad_val', given.get('pad_val', 0))
    elif kind == 'RandomFlip':
        found.flip = _flip(given)
    elif kind == 'MultiView':
        number, lists = given['num_views'], _lists(given['transforms'])
        equal = number in (2, [2]) and len(lists) == 1
        if not equal and (number not in ([1, 1], (1, 1)) or len(lists) != 2):
            raise ValueError(f'DeviceLoader makes two views by one pipeline or by two, got num_views={number}')
        found.views, before = 2, replace(found)
        for inner in lists[0]:
            _read(inner, found)
        if not equal:
            if before.crop_size is not None or before.flip:
                raise ValueError('DeviceLoader makes two different views inside MultiView alone; move crop and flip into it')
            found.strong = _strong(lists[1])


def _strong(transforms: list[dict]) -> StrongView:
    """The settings of a strong view."""
    steps = dict(_checked(transform, STRONG) for transform in transforms)
    ordered = [kind for kind in STRONG if kind in steps]
    if 'RandomResizedCrop' not in steps or list(steps) != ordered or len(steps) < len(transforms):
        raise ValueError(
            f'DeviceLoader makes a second view by RandomResizedCrop, then some of {", ".join(list(STRONG)[1:])}, each once and '
            f'in this order; got {", ".join(str(one["type"]) for one in transforms)}'
        )
    crop, grey = steps['RandomResizedCrop'], steps.get('RandomGrayscale', {'prob': 0.0, 'keep_channels': True})
    if not grey.get('keep_channels'):
        raise ValueError('DeviceLoader needs RandomGrayscale with keep_channels=True, so that all images have three channels')
    apply = steps.get('RandomApply', {'prob': 0.0, 'transforms': []})
    inside = [apply['transforms']] if isinstance(apply['transforms'], dict) else apply['transforms']  # as in mmcv
    jitter = [_checked(inner, {'ColorJitter': JITTER})[1] for inner in _configs('transforms of RandomApply', inside)]
    if len(jitter) > 1:
        raise ValueError('DeviceLoader needs RandomApply around one ColorJitter')
    amounts = [
        _share(f'{name} of ColorJitter', (jitter or [{}])[0].get(name, 0)) for name in ('brightness', 'contrast', 'saturation')
    ]
    return StrongView(
        size=_whole('scale', crop['scale']),
        area=_range('crop_ratio_range', crop.get('crop_ratio_range', StrongView.area)),
        aspect=_range('aspect_ratio_range', crop.get('aspect_ratio_range', StrongView.aspect)),
        flip=_flip(steps['RandomFlip']) if 'RandomFlip' in steps else 0.0,
        jitter=_share('prob of RandomApply', apply.get('prob', 0.5)),
        colours=(amounts[0], amounts[1], amounts[2]),
        grey=_share('prob of RandomGrayscale', grey.get('prob', 0.1)),
        weights=_weights(grey.get('channel_weights', StrongView.weights)),
    )


def _checked(transform: dict, allowed: dict[str, set[str]]) -> tuple[str, dict[str, Any]]:
    """Type and arguments of a transform."""
    given = {name: value for name, value in transform.items() if name != 'type'}
    kind = str(transform['type']).rsplit('.', 1)[-1]
    if kind not in allowed or not set(given) <= allowed[kind]:
        surplus = kind if kind not in allowed else f'{kind} with {", ".join(sorted(set(given) - allowed[kind]))}'
        raise ValueError(f'DeviceLoader does not support {surplus}, only {", ".join(allowed)}; use the default loader')
    missing = NEEDED.get(kind, set()) - set(given)
    if missing:
        raise ValueError(f'DeviceLoader needs {" and ".join(sorted(missing))} of {kind}, which is missing in {transform}')
    return kind, given


def _configs(name: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(one, dict) and 'type' in one for one in value):
        raise ValueError(f'DeviceLoader needs {name} as a list of dicts with a type, got {value!r}')
    return list(value)


def _lists(value: Any) -> list[list[dict[str, Any]]]:
    lists = list(value) if isinstance(value, (list, tuple)) else [value]
    return [_configs('transforms of MultiView', one) for one in lists]


def _flip(given: dict[str, Any]) -> float:
    if given.get('direction', 'horizontal') != 'horizontal':
        raise ValueError(f'DeviceLoader flips horizontally only, got direction={given["direction"]!r}')
    return _share('prob of RandomFlip', given.get('prob', 0.5))


def _share(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise ValueError(f'DeviceLoader needs {name} as a number from 0 to 1, got {value!r}')
    return float(value)


def _range(name: str, value: Any) -> tuple[float, float]:
    numbers = list(value) if isinstance(value, (list, tuple)) else []
    if len(numbers) != 2 or not all(map(_finite, numbers)) or not 0 < numbers[0] <= numbers[1]:
        raise ValueError(f'DeviceLoader needs {name} as two numbers above 0, the smaller first, got {value!r}')
    return numbers[0], numbers[1]


def _weights(value: Any) -> tuple[float, float, float]:
    numbers = list(value) if isinstance(value, (list, tuple)) else []
    if len(numbers) != 3 or not all(map(_finite, numbers)):
        raise ValueError(f'DeviceLoader needs channel_weights of RandomGrayscale as three numbers, got {value!r}')
    return numbers[0], numbers[1], numbers[2]


def _finite(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _whole(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f'DeviceLoader needs {name} as one whole number of pixels, got {value!r}')
    return value
