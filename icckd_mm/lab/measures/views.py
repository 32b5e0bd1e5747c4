"""Measures how many views of its classes a classifier knows, and what its soft labels reveal of traces."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_features, check_labels
from icckd_mm.functional.tensor.number_checks import check_positive

LEARNED = 0.5  # minimum accuracy on the images of a view to count it as known; our choice


def view_measures(logits: Tensor, labels: Tensor, samples: Sequence[Any], temperature: float = 4.0) -> dict[str, float | None]:
    """All measures of this file for data samples of :class:`icckd_mm.datasets.MultiViewPatterns`.

    Args:
        logits: Classifier outputs ``(N, C)``.
        labels: True classes ``(N,)``.
        samples: Their ``N`` data samples.
        temperature: Temperature of the soft labels, above 0. Defaults to 4.0, as in our KD configs.

    Returns:
        Results of :func:`view_accuracy` and :func:`trace_signal`; empty if the samples record no views.

    Raises:
        ValueError: If logits, labels and samples do not belong together.
    """
    if not all('view' in sample and 'traces' in sample for sample in samples):
        return {}
    if len(samples) != len(logits):
        raise ValueError(f'logits and samples must be of the same images, got {len(logits)} and {len(samples)}')
    views = torch.tensor([int(sample.view) for sample in samples], dtype=torch.long)
    traces = traced_classes([sample.traces for sample in samples], logits.size(1))
    return {**view_accuracy(logits, labels, views), **trace_signal(logits, labels, traces, temperature, views < 0)}


def traced_classes(traces: Iterable[Iterable[Sequence[int]]], num_classes: int) -> Tensor:
    """The classes that have a trace in each image.

    Args:
        traces: (class, view) of the traces of each of ``N`` images.
        num_classes: ``C``.

    Returns:
        Booleans ``(N, C)``.

    Example:
        >>> traced_classes([[(2, 0)], []], 3).int()
        tensor([[0, 0, 1],
                [0, 0, 0]], dtype=torch.int32)
    """
    classes = [[label for label, _ in image] for image in traces]
    found = torch.zeros(len(classes), num_classes, dtype=torch.bool)
    for row, labels in zip(found, classes):
        row[labels] = True
    return found


def view_accuracy(logits: Tensor, labels: Tensor, views: Tensor) -> dict[str, float | None]:
    """Top-1 by kind of image, and the share of views that a classifier knows.

    Args:
        logits: Classifier outputs ``(N, C)``.
        labels: True classes ``(N,)``.
        views: The view that a single-view image shows, -1 for multi-view images ``(N,)``, integers.

    Returns:
        ``multi_view`` and ``single_view``, percent of these images that are classified correctly; ``views_learned``, percent
        of the (class, view) pairs of single-view images of which at least half are. None without such images.

    Raises:
        TypeError: If the logits are not floating-point or the labels or views not integers.
        ValueError: If the shapes do not belong together.

    Example:
        >>> logits = torch.eye(2)[[0, 0, 1, 1]]
        >>> view_accuracy(logits, torch.tensor([0, 0, 0, 1]), torch.tensor([-1, 0, 1, -1]))
        {'multi_view': 100.0, 'single_view': 50.0, 'views_learned': 50.0}
    """
    _check(logits, labels)
    if views.shape != labels.shape or views.is_floating_point():
        raise ValueError(f'views must be {len(labels)} integers, one per image, got {views.dtype} {tuple(views.shape)}')
    right, single = (logits.argmax(dim=1) == labels).double(), views >= 0
    _, pairs = (labels + logits.size(1) * views)[single].unique(return_inverse=True)
    known = pairs.bincount(weights=right[single]) / pairs.bincount()
    return {
        'multi_view': _percent(right[~single]),
        'single_view': _percent(right[single]),
        'views_learned': _percent((known >= LEARNED).double()),
    }


def trace_signal(
    logits: Tensor, labels: Tensor, traces: Tensor, temperature: float = 4.0, images: Tensor | None = None
) -> dict[str, float | None]:
    r"""How soft labels react to traces: :math:`\log\frac{p_c}{1 - p_c}` with a trace of class c in the image, and without.

    Only classes other than an image's own are used. Each is compared with itself in other images; the mean is over classes.

    Args:
        logits: Classifier outputs ``(N, C)``.
        labels: True classes ``(N,)``.
        traces: Whether an image has a trace of a class ``(N, C)``, booleans.
        temperature: Of the soft labels, above 0. Defaults to 4.0.
        images: Booleans ``(N,)``, the images to use, such as the multi-view ones. Defaults to all.

    Returns:
        ``trace_lift``, mean log-odds with minus without, in nats; ``trace_auc`` in [0, 1], the probability that an image
        with a trace gets higher log-odds than one without, 0.5 if soft labels do not depend on it. The second does not change
        with the scale of the logits. None if no class has images of both kinds.

    Raises:
        TypeError: If the logits are not floating-point or the labels not integers.
        ValueError: If the shapes do not belong together, or the temperature is not above 0.

    Example:
        >>> logits, none = torch.tensor([[9.0, 4.0, 0.0], [9.0, 0.0, 4.0]]), [False, False]
        >>> found = trace_signal(logits, torch.tensor([0, 0]), torch.tensor([[False, True, False], [False, False, True]]))
        >>> round(found['trace_lift'], 3), found['trace_auc']
        (1.152, 1.0)
    """
    _check(logits, labels)
    check_positive('temperature', temperature)
    if traces.shape != logits.shape or traces.dtype != torch.bool:
        raise ValueError(f'traces must be booleans of shape {tuple(logits.shape)}, got {traces.dtype} {tuple(traces.shape)}')
    log_probs = (logits.double() / temperature).log_softmax(dim=1)
    odds = log_probs - torch.log1p(-log_probs.exp().clamp(max=1 - 2**-53))
    other = torch.ones_like(traces).scatter(1, labels[:, None], False)
    if images is not None:
        other &= images[:, None]
    lifts, areas = [], []
    for label in range(logits.size(1)):
        rows = other[:, label]
        seen = traces[rows, label]
        present, absent = odds[rows, label][seen], odds[rows, label][~seen]
        if len(present) and len(absent):
            lifts.append(float(present.mean() - absent.mean()))
            differences = present[:, None] - absent
            areas.append(float(((differences > 0).double() + 0.5 * (differences == 0)).mean()))
    return {'trace_lift': _mean(lifts), 'trace_auc': _mean(areas)}


def _check(logits: Tensor, labels: Tensor) -> None:
    check_features('logits', logits)
    check_labels('labels', labels, len(logits), num_classes=logits.size(1), like=logits)


def _percent(values: Tensor) -> float | None:
    return 100 * float(values.mean()) if len(values) else None


def _mean(values: list[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None
