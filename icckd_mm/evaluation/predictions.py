"""Reads scores, features and labels from predicted data samples."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def soften(probs: Tensor, temperature: float) -> Tensor:
    r"""Soft labels at a temperature from those at 1: :math:`p_j^{1/T} / \sum_k p_k^{1/T}`, the softmax of logits over T.

    Args:
        probs: Softmax of the logits ``(B, C)``.
        temperature: Above 0.

    Returns:
        ``(B, C)``, float64. A probability that has underflowed to 0 stays 0.

    Example:
        >>> soften(torch.tensor([[0.9, 0.1]]), 2.0)
        tensor([[0.7500, 0.2500]], dtype=torch.float64)
    """
    return (probs.double().log() / temperature).softmax(dim=1)


def stacked(data_samples: Sequence[dict], name: str, advice: str) -> Tensor:
    """A field of all samples as a matrix on the CPU.

    Args:
        data_samples: Predictions of a batch.
        name: Name of the field, a vector for each sample.
        advice: What to do if it is missing.

    Returns:
        ``(B, D)``.

    Raises:
        ValueError: If a sample lacks it.
    """
    if any(name not in sample for sample in data_samples):
        raise ValueError(f'the predictions have no {name}, only {", ".join(sorted(data_samples[0]))}; {advice}')
    return torch.stack([sample[name].detach().cpu() for sample in data_samples])


def class_labels(data_samples: Sequence[dict], num_classes: int) -> Tensor:
    """The true classes of all samples on the CPU.

    Args:
        data_samples: Predictions of a batch.
        num_classes: Number of classes of the model.

    Returns:
        ``(B,)``, int64.

    Raises:
        ValueError: If an image has none or several, or one that the model does not know.
    """
    if any(len(sample.get('gt_label', ())) != 1 for sample in data_samples):
        raise ValueError('ClassGeometry needs one gt_label for each image; multi-label data have no classes to compare')
    labels = torch.cat([sample['gt_label'].cpu() for sample in data_samples]).long()
    if labels.min() < 0 or labels.max() >= num_classes:
        raise ValueError(
            f'labels run from {int(labels.min())} to {int(labels.max())}, but the model predicts {num_classes} classes; '
            'set head.num_classes or fix the annotation'
        )
    return labels
