"""Features and logits of one pass through a classifier."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from icckd_mm.engine.classifier_layers import ClassifierLayers


class Tap:
    """Reads two layers of a classifier in forward passes while it is open.

    Args:
        layers: Where features and logits are.

    Attributes:
        is_open (bool): Whether the current pass is read.
    """

    def __init__(self, layers: ClassifierLayers) -> None:
        self.is_open = False
        self._seen: dict[str, Tensor] = {}

        def keep(name: str, value: Tensor) -> None:
            if self.is_open:
                self._seen[name] = value

        layers.record(keep)

    def open(self) -> None:
        """Read the pass that begins now."""
        self.is_open, self._seen = True, {}

    def close(self) -> tuple[Tensor, Tensor]:
        """End the pass; return and forget its features ``(B, D)`` and logits ``(B, C)``."""
        seen, self.is_open, self._seen = self._seen, False, {}
        return seen['features'], seen['logits']

    def encode(self, classifier: nn.Module, images: Tensor) -> Tensor:
        """Features ``(B, D)`` of a pass without gradient that does not update batch-norm statistics.

        Args:
            classifier: The classifier in training mode. Its ``forward`` is called, so that its own hooks do not run again.
            images: ``(B, 3, H, W)``.
        """
        self.open()
        with torch.no_grad(), untouched_statistics(classifier):
            classifier.forward(images, mode='tensor')
        features, _ = self.close()
        return features


@contextmanager
def untouched_statistics(model: nn.Module) -> Iterator[None]:
    """Batch norm uses batch statistics, as in training, but does not update its running ones: no image counts twice."""
    layers = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.training and m.track_running_stats]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
