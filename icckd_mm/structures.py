"""Data structures passed from data loaders to networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor


class PreparedSamples(list):
    """The data samples of a batch whose labels are on the network's device already, so no further preparation is needed.

    Args:
        samples: The data samples.
        places: Their ``sample_idx`` ``(B,)``, on the device.
        labels: Their classes ``(B,)``, on the device.
        num_images: Images of the data set; every place is below it.
    """

    def __init__(self, samples: Iterable[Any], places: Tensor, labels: Tensor, num_images: int) -> None:
        super().__init__(samples)
        self.places, self.labels, self.num_images = places, labels, num_images


def places_of(samples: Sequence[Any], device: torch.device) -> Tensor:
    """``sample_idx`` of each sample ``(B,)``, -1 where it is missing; the host does not wait for the device.

    Args:
        samples: Data samples of mmpretrain.
        device: Device of the result.
    """
    if isinstance(samples, PreparedSamples):
        return samples.places
    places = torch.tensor([int(sample.get('sample_idx', -1)) for sample in samples], dtype=torch.long)
    return places.to(device, non_blocking=True)


def labels_of(samples: Sequence[Any]) -> Tensor:
    """Classes ``(N,)`` of data samples, on the device where they are.

    Args:
        samples: Data samples of mmpretrain with ``gt_label``.
    """
    if isinstance(samples, PreparedSamples):
        return samples.labels
    return torch.cat([sample.gt_label for sample in samples]) if samples else torch.zeros(0, dtype=torch.long)
