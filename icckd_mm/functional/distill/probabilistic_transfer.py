"""Probabilistic knowledge transfer: how likely an image picks each other as its neighbour."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast

from .pairs import check_images

SMALL = 1e-7  # as published


def probabilistic_transfer_loss(student: Tensor, teacher: Tensor) -> Tensor:
    r"""PKT, :math:`\frac1{B^2}\sum_{ij} q_{ij}\log\frac{q_{ij} + 10^{-7}}{s_{ij} + 10^{-7}}`, the teacher's neighbours first.

    Neighbours are :math:`q_{ij} \propto (\cos(f_i, f_j) + 1) / 2`, each row with sum 1, the image itself included; :math:`s`
    are those of the student. They come from the given batch: with several processes each compares its own images. A zero row
    counts as orthogonal to all.

    Args:
        student: Features of the student ``(B, D)`` or maps, which are flattened; half types are raised to fp32.
        teacher: Features of the teacher, of any width.

    Returns:
        A scalar, about 0 or more; 0 for a batch of one image.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If the batches or devices differ.

    Source: Passalis and Tefas 2018, arXiv 1803.10837, Eq. 10 with cosine similarity; the mean over :math:`B^2` instead of rows
    as in the benchmark's code, for which its weight is made.

    Example:
        >>> probabilistic_transfer_loss(torch.eye(2), torch.ones(2, 3))
        tensor(0.0294)
    """
    check_images(student, teacher)
    with without_autocast(student):
        own, target = _neighbours(student), _neighbours(teacher)
        return (target * ((target + SMALL).log() - (own + SMALL).log())).sum() / max(student.size(0) ** 2, 1)


def _neighbours(features: Tensor) -> Tensor:
    """Probabilities ``(B, B)``; the sum of a row of similarities is above 0, since an image is similar to itself."""
    rows = unit_rows(raised(features).flatten(1))
    similarities = (rows @ rows.T + 1) / 2
    return similarities / similarities.sum(dim=1, keepdim=True)
