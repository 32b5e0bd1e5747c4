"""Channels, height and width of the images that a test pipeline gives to the network, found by running it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope
from mmpretrain.registry import TRANSFORMS
from torch import Tensor

from icckd_mm.config.building import only_registered
from icckd_mm.zoo.clean_process import build_dataset

Shape = tuple[int, int, int]
USUAL_SIDE, LOOKED_AT = 224, 32
STORED_SIZE = {'CIFAR10': 32, 'CIFAR100': 32, 'TinyImageNet': 64, 'MNIST': 28, 'FashionMNIST': 28}
ODD_SIZES = ((403, 311), (287, 519))  # of images whose sides no pipeline would give by chance


def input_shape(config: Mapping[str, Any], state: Mapping[str, Tensor], hints: Sequence[Any] = ()) -> tuple[Shape, bool]:
    """The shape of what the test pipeline gives, by what decides it: the pipeline, the data, what is known of them.

    Args:
        config: A checked config with ``test_dataloader``, whose data set has no wrapper.
        state: Weights of the network, which tell the channels where no data do.
        hints: Pipelines of the training, for networks whose test pipeline leaves images as they are.

    Returns:
        Channels, height and width, and whether the pipeline relies on all images having this size.
    """
    dataset = config['test_dataloader']['dataset']
    channels = stem_channels(state)
    fixed = size_given_by(dataset.get('pipeline') or [], channels)
    seen = _seen(dataset)
    if fixed:
        return ((*seen.pop()[:1], *fixed[1:]) if seen else fixed), False
    if len(seen) == 1:
        return seen.pop(), True
    stored = stored_side(dataset)
    if stored and not seen:
        return (channels, stored, stored), True
    return next(filter(None, (size_given_by(one, channels) for one in hints)), (channels, USUAL_SIDE, USUAL_SIDE)), False


def size_given_by(pipeline: Iterable[Any], channels: int) -> Shape | None:
    """The shape that a pipeline gives to images of two odd sizes; None if the two differ or it cannot be run."""
    steps = [step for step in deepcopy(list(pipeline)) if not str(step.get('type')).rpartition('.')[2].startswith('LoadImage')]
    found = set()
    try:
        with DefaultScope.overwrite_default_scope('mmpretrain'), only_registered():
            run = Compose([TRANSFORMS.build(step) for step in steps])
            for height, width in ODD_SIZES:
                pixels = np.zeros((height, width) if channels == 1 else (height, width, channels), np.uint8)
                image = dict(img=pixels, img_shape=(height, width), ori_shape=(height, width), gt_label=0, sample_idx=0)
                found.add(_shape(run(image)))
    except Exception:  # a step may need what a blank image does not have
        return None
    return found.pop() if len(found) == 1 else None


def stem_channels(state: Mapping[str, Tensor]) -> int:
    """Channels that the first convolution takes; 3 where there is none."""
    return next((int(value.shape[1]) for value in state.values() if value.ndim == 4), 3)


def stored_side(dataset: Mapping[str, Any]) -> int | None:
    """Side of a data set's images where all are stored in one size."""
    kind = str(dataset.get('type', '')).rsplit('.', 1)[-1]
    return dataset.get('scale') or dataset.get('size') or STORED_SIZE.get(kind)


def _seen(dataset: Mapping[str, Any]) -> set[Shape]:
    """Shapes of images spread over the data set; empty if it is missing."""
    try:
        data = build_dataset(dict(dataset))
        places = np.unique(np.linspace(0, len(data) - 1, LOOKED_AT).astype(int))
        return {_shape(data[int(place)]) for place in places}
    except Exception:  # the data may be missing or broken; verifying reports that
        return set()


def _shape(packed: Mapping[str, Any]) -> Shape:
    inputs = packed['inputs']
    first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs  # of several views
    channels, height, width = first.shape
    return int(channels), int(height), int(width)
