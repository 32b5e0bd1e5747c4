"""Calibration of a classifier: accuracy against confidence."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from icckd_mm.functional.tensor.checks import check_features, check_labels


@dataclass
class Calibration:
    """The numbers of a reliability diagram; empty bins hold 0.

    Attributes:
        confidence: Mean confidence of each bin ``(bins,)``.
        accuracy: Share of correct predictions in each bin ``(bins,)``.
        counts: Images in each bin ``(bins,)``.
    """

    confidence: Tensor
    accuracy: Tensor
    counts: Tensor

    @property
    def ece(self) -> float:
        """The expected calibration error, in ``[0, 1]``."""
        return float((self.counts * (self.confidence - self.accuracy).abs()).sum() / self.counts.sum())


def calibration(logits: Tensor, labels: Tensor, bins: int = 15) -> Calibration:
    r"""Mean confidence against accuracy in bins of equal width: :math:`ECE=\sum_b \frac{n_b}{N}|conf_b-acc_b|`.

    Args:
        logits: Classifier outputs ``(N, C)``; the confidence is the largest softmax, at temperature 1.
        labels: True classes ``(N,)``.
        bins: Number of bins ``((b - 1) / bins, b / bins]``. Defaults to 15.

    Returns:
        The bins.

    Raises:
        TypeError: If the logits are not floating-point or the labels not integers.
        ValueError: If the shapes do not belong together, there is no image, or ``bins`` is below 1.

    Source: Naeini et al. 2015 and Guo et al. 2017, arXiv 1706.04599, whose 15 bins are the default.

    Example:
        >>> round(calibration(torch.tensor([[0.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 0])).ece, 4)
        0.5
    """
    check_features('logits', logits)
    check_labels('labels', labels, logits.size(0), num_classes=logits.size(1), like=logits)
    if bins < 1:
        raise ValueError(f'bins must be at least 1, got {bins!r}')
    if not len(labels):
        raise ValueError('calibration needs at least one image')
    confidence, predicted = logits.double().softmax(dim=1).max(dim=1)
    index = (confidence * bins).ceil().long().clamp(1, bins) - 1
    counts = index.bincount(minlength=bins)

    def mean(values: Tensor) -> Tensor:
        return index.bincount(values.double(), minlength=bins) / counts.clamp(min=1)

    return Calibration(mean(confidence), mean(predicted == labels), counts)
