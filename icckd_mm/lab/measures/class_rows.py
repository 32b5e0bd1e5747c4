"""What a network makes of the images of each class, row by row."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from icckd_mm.compose.inspection import inspect_network
from icckd_mm.compose.layers import Layer, NetworkLayers

ROWS = ('logits', 'map', 'pooled')


@torch.no_grad()
def class_rows(classifier: Any, loader: Any, rows: str = 'map') -> list[Tensor]:
    """Features of each class, in the order of the data set, cut to the smallest class.

    Args:
        classifier: An mmpretrain classifier with its data preprocessor; left in evaluation mode.
        loader: Batches with ``inputs`` and ``data_samples``, not shuffled.
        rows: ``'map'``: every place of the last map; ``'pooled'``: the pooled features; ``'logits'``. Defaults to ``'map'``.

    Returns:
        By class ``(N, D)`` on the CPU, in single precision. All together take the memory of the features of the data set:
        3.3 GB for maps of CIFAR-100 and resnet32x4.

    Raises:
        ValueError: If the network pools no map, or a class has no image.
    """
    classifier.eval()
    found: list[list[Tensor]] = []
    layer = None
    for batch in loader:
        data = classifier.data_preprocessor(batch, False)
        if layer is None:
            network = inspect_network(classifier, data['inputs'][:2])
            layer, found = _chosen(network, rows), [[] for _ in range(network.num_classes)]
        tensor = _recorded(classifier, layer, data['inputs']).float()
        places = tensor.flatten(2).transpose(1, 2) if tensor.ndim == 4 else tensor[:, None]
        for row, sample in zip(places.cpu(), data['data_samples']):
            found[int(sample.gt_label)].append(row)
    empty = [label for label, images in enumerate(found) if not images]
    if empty or not found:
        raise ValueError(f'the training set has no image of class {empty[0] if empty else 0}; give the whole training set')
    smallest = min(map(len, found))
    return [torch.cat(images[:smallest]) for images in found]


def _chosen(network: NetworkLayers, rows: str) -> Layer:
    layer = {'logits': network.logits, 'map': network.last_map, 'pooled': network.pooled}[rows]
    if layer is None:
        raise ValueError("the network pools no map; take rows='pooled'")
    return layer


def _recorded(classifier: Any, layer: Layer, inputs: Tensor) -> Tensor:
    """The tensor that a layer stands for, in a pass of ``inputs``."""
    seen: list[Any] = []

    def keep(_: Any, given: Any, output: Any) -> None:
        seen.append(given if layer.inputs else output)

    handle = classifier.get_submodule(layer.source).register_forward_hook(keep)
    try:
        classifier(inputs, mode='tensor')
    finally:
        handle.remove()
    value = seen[layer.record_idx]
    return value if layer.data_idx is None else value[layer.data_idx]
