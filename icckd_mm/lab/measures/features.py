"""Features and logits of a trained classifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.functional import class_geometry, confidence_margin


@dataclass
class FeatureSpace:
    """Features and logits of a data split, on the CPU.

    Attributes:
        features: Input of the last linear layer, ``(N, D)``.
        logits: ``(N, C)``.
        labels: ``(N,)``.
        samples: Data samples of the ``N`` images.
    """

    features: Tensor
    logits: Tensor
    labels: Tensor
    samples: list[Any] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """Top-1 in percent."""
        return 100 * float((self.logits.argmax(dim=1) == self.labels).float().mean())

    @property
    def geometry(self) -> dict[str, float]:
        """:func:`icckd_mm.functional.class_geometry` of the features."""
        return class_geometry(self.features, self.labels)

    def pass_share(self, margin: float) -> float:
        """Share of images whose confidence margin is above ``margin``."""
        return float((confidence_margin(self.logits, self.labels) > margin).float().mean())


@torch.no_grad()
def extract(classifier: Any, loader: Any) -> FeatureSpace:
    """Run the images of a loader through a classifier.

    Args:
        classifier: An mmpretrain classifier with its data preprocessor; left in evaluation mode.
        loader: Batches with ``inputs`` and ``data_samples``.

    Raises:
        ValueError: If a feature or logit is NaN or infinite.
    """
    classifier.eval()
    parts: dict[str, list[Tensor]] = {'features': [], 'logits': [], 'labels': []}
    samples: list[Any] = []
    handles: list[Any] = []
    for batch in loader:
        data = classifier.data_preprocessor(batch, False)
        if not handles:
            layers = find_layers(classifier, data['inputs'][:1], None, None)
            handles = layers.record(lambda name, value: parts[name].append(value.float().cpu()))
        classifier(data['inputs'], mode='tensor')
        parts['labels'].append(torch.cat([sample.gt_label for sample in data['data_samples']]).cpu())
        samples += data['data_samples']
    for handle in handles:
        handle.remove()
    space = FeatureSpace(**{name: torch.cat(tensors) for name, tensors in parts.items()}, samples=samples)
    if not (space.features.isfinite().all() and space.logits.isfinite().all()):
        raise ValueError('the network gives NaN or infinite features or logits on its test split; take an earlier checkpoint')
    return space
