"""Mean and spread of soft labels and logits by class."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from icckd_mm.functional.mcmi import class_mean_predictions, mcmi_loss
from icckd_mm.functional.tensor.checks import check_features, check_labels
from icckd_mm.functional.tensor.number_checks import check_positive


@dataclass
class SoftLabels:
    """Soft labels by true class; rows of classes without images are NaN, as is the spread of classes with one.

    Attributes:
        mean: Mean soft label of each class ``(C, C)``, true classes down, predicted ones across; rows sum to 1.
        deviation: Standard deviation inside the class ``(C, C)``.
        spread: Root mean square distance of a class's soft labels to their mean ``(C,)``, in ``[0, 1]``.
    """

    mean: Tensor
    deviation: Tensor
    spread: Tensor


MOST_CLASSES = 4000  # a table takes 128 MB


def soft_labels(logits: Tensor, labels: Tensor, temperature: float = 4.0) -> SoftLabels:
    """Mean and spread of the soft labels of each class.

    Args:
        logits: Classifier outputs ``(N, C)``.
        labels: True classes ``(N,)``.
        temperature: Above 0. Defaults to 4.0, as in our KD configs.

    Returns:
        The statistics, in float64.

    Raises:
        TypeError: If the logits are not floating-point or the labels not integers.
        ValueError: If the shapes do not belong together, or the temperature is not above 0.

    Source: soft labels are Hinton et al. 2015, arXiv 1503.02531; these statistics are our choice.

    Example:
        >>> soft_labels(torch.tensor([[9.0, -9.0], [-9.0, 9.0]]), torch.tensor([0, 0]), temperature=1.0).spread
        tensor([0.7071,    nan], dtype=torch.float64)
    """
    check_positive('temperature', temperature)
    probs = (_checked(logits, labels) / temperature).softmax(dim=1)
    mean = class_means(probs, labels)
    squares = (probs - mean[labels]).square()
    several = labels.bincount(minlength=probs.size(1)) > 1
    variance = class_means(squares, labels).where(several[:, None], torch.nan)
    return SoftLabels(mean, variance.sqrt(), variance.sum(dim=1).sqrt())


def logit_difference(student: Tensor, teacher: Tensor, labels: Tensor) -> Tensor:
    """Mean of student's minus teacher's logits over the images of each true class.

    The mean over the classes is taken from each row of logits first: a softmax does not depend on it.

    Args:
        student: Logits ``(N, C)``.
        teacher: Logits ``(N, C)`` of the same images.
        labels: True classes ``(N,)``.

    Returns:
        ``(C, C)`` in float64, true classes down, logits across; NaN for a class without images.

    Raises:
        TypeError: If the logits are not floating-point or the labels not integers.
        ValueError: If the shapes do not belong together.

    Source: a common figure in the literature on KD; centring the logits is our choice.

    Example:
        >>> logit_difference(torch.tensor([[3.0, 1.0]]), torch.tensor([[9.0, 9.0]]), torch.tensor([0]))
        tensor([[ 1., -1.],
                [nan, nan]], dtype=torch.float64)
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f'student has logits {tuple(student.shape)}, teacher {tuple(teacher.shape)}; give both the same images and classes'
        )
    difference = _checked(student, labels) - _checked(teacher, labels)
    return class_means(difference - difference.mean(dim=1, keepdim=True), labels)


def conditional_mutual_information(logits: Tensor, labels: Tensor) -> float:
    r"""What predictions tell of an image beyond its class: :math:`I(X;\hat Y|Y)=\frac1N\sum_i KL(p_i\Vert\bar p_{y_i})`.

    Args:
        logits: Classifier outputs ``(N, C)``; softmax at temperature 1.
        labels: True classes ``(N,)``.

    Returns:
        In nats, at least 0; 0 if all images of a class have one prediction.

    Raises:
        TypeError: If the logits are not floating-point or the labels not integers.
        ValueError: If the shapes do not belong together.

    Source: Ye et al., ICLR 2024, arXiv 2401.08732, whose MCMI maximises it.

    Example:
        >>> round(conditional_mutual_information(torch.tensor([[99.0, 0.0], [0.0, 99.0]]), torch.tensor([0, 0])), 4)  # log 2
        0.6931
    """
    exact = _checked(logits, labels)
    means = class_mean_predictions(exact, labels)
    return float(mcmi_loss(exact, labels, means, kl_weight=0.0) - mcmi_loss(exact, labels, means, kl_weight=1.0))


def class_means(rows: Tensor, labels: Tensor) -> Tensor:
    """Mean row of each class ``(C, C)`` of rows ``(N, C)``; NaN for a class without images."""
    counts = labels.bincount(minlength=rows.size(1))
    return rows.new_zeros(len(counts), rows.size(1)).index_add_(0, labels, rows) / counts[:, None]


def _checked(logits: Tensor, labels: Tensor) -> Tensor:
    check_features('logits', logits)
    classes = logits.size(1)
    if classes > MOST_CLASSES:
        raise ValueError(
            f'tables of {classes} x {classes} soft labels are not made, at most {MOST_CLASSES} classes; '
            'draw other figures: --only curves features calibration'
        )
    check_labels('labels', labels, logits.size(0), num_classes=logits.size(1), like=logits)
    return logits.double()
