"""Correlation congruence: differences of neighbouring images in a batch."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.checks import check_pairs
from icckd_mm.functional.tensor.numerics import raised


def correlation_congruence_loss(student: Tensor, teacher: Tensor) -> Tensor:
    r"""CC, :math:`\frac1{B-1}\sum_{i<B}\sum_d\lvert\Delta_{id}\,\Delta_{i+1,d}\rvert` with :math:`\Delta = S - T`.

    Neighbours are those of the given batch in its order: with several processes each compares its own images.

    Args:
        student: Embedded features of the student ``(B, D)``; half types are raised to fp32.
        teacher: Embedded features of the teacher, same shape.

    Returns:
        A scalar of at least 0; 0 for a batch of one image, which has no neighbour.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes or devices differ.

    Source: Peng et al. 2019, arXiv 1904.01802, in the form of the benchmark's code, which takes products of neighbours instead
    of the paper's kernel over all pairs; its published figures belong to this form.

    Example:
        >>> correlation_congruence_loss(torch.eye(2), torch.ones(2, 2))
        tensor(0.)
    """
    check_pairs(student=student, teacher=teacher)
    difference = raised(student) - raised(teacher)
    return (difference[:-1] * difference[1:]).abs().sum() / max(student.size(0) - 1, 1)
