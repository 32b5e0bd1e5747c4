"""Reads training settings from a checkpoint; the text of its config is parsed, never run."""

from __future__ import annotations

from typing import Any, NamedTuple

from icckd_mm.compat.checkpoints.config_text import parse_config_text
from icckd_mm.datasets.wrappers.nesting import common_pipeline, innermost_configs

SIDES = {'RandomCrop': 'crop_size', 'CenterCrop': 'crop_size', 'RandomResizedCrop': 'scale', 'Resize': 'scale'}


class Record(NamedTuple):
    """Properties of the images that a network was trained with.

    Attributes:
        preprocessor: Plain values such as ``mean``, ``std`` and ``to_rgb``; empty if unknown.
        side: Side of the square images; None if unknown.
        classes: Classes in the checkpoint, unchecked; None if it has none.
    """

    preprocessor: dict
    side: int | None
    classes: Any = None


def read_record(checkpoint: dict) -> Record:
    """The images that the config in a checkpoint describes.

    Args:
        checkpoint: A checkpoint of mmengine.

    Returns:
        The properties; empty if there is no readable config.
    """
    classes = _classes(checkpoint.get('meta'))
    try:
        config = parse_config_text(checkpoint.get('meta', {}).get('cfg') or '')
        given = config.get('train_dataloader', {}).get('dataset', {})
        dataset, sides = innermost_configs(given)[0], _sides(common_pipeline(given))
        if not sides and str(dataset.get('type')).endswith('Digits'):
            sides = [dataset.get('scale')]
        # as in mmengine, the model's own preprocessor comes first
        preprocessor = config.get('model', {}).get('data_preprocessor') or config.get('data_preprocessor') or {}
        return Record(dict(preprocessor), sides[-1] if sides else None, classes)
    except (ValueError, TypeError, AttributeError, LookupError):
        return Record({}, None, classes)


def _classes(meta: Any) -> Any:
    data = meta.get('dataset_meta') if isinstance(meta, dict) else None
    return data.get('classes') if isinstance(data, dict) else None


def _sides(steps: Any) -> list[int | None]:
    """The sides that the steps of a pipeline cut or scale images to, in order; None for one that is not square."""
    sides: list[int | None] = []
    for step in steps:
        if isinstance(step, (list, tuple)):
            sides += _sides(step)
            continue
        size = step.get(SIDES.get(step['type'].rpartition('.')[2], ''))
        if size is not None:
            pair = (size, size) if isinstance(size, int) else tuple(size)
            sides.append(pair[0] if pair[0] == pair[-1] else None)
        sides += _sides(step.get('transforms', []))
    return sides
