"""Similarity-preserving distillation: which images of a batch a network finds alike."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast

from .pairs import check_images


def similarity_preserving_loss(student: Tensor, teacher: Tensor) -> Tensor:
    r"""SP, :math:`\frac1{B^2}\lVert\mathrm{unit}(X_T X_T^\top) - \mathrm{unit}(X_S X_S^\top)\rVert_F^2` with unit rows.

    Products are those of the given batch: with several processes each compares its own images. The value depends on the size
    of the batch, so a weight belongs to a batch per process.

    Args:
        student: Features of the student ``(B, D)`` or maps, which are flattened; half types are raised to fp32.
        teacher: Features of the teacher, of any width.

    Returns:
        A scalar of at least 0; 0 for a batch of one image.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If the batches or devices differ.

    Source: Tung and Mori 2019, arXiv 1907.09682, Eq. 4.

    Example:
        >>> similarity_preserving_loss(torch.eye(2), torch.ones(2, 3))
        tensor(0.2929)
    """
    check_images(student, teacher)
    with without_autocast(student):
        difference = _similarities(teacher) - _similarities(student)
        return difference.square().sum() / max(student.size(0) ** 2, 1)


def _similarities(features: Tensor) -> Tensor:
    """Products of all images ``(B, B)``, each row at length 1."""
    rows = raised(features).flatten(1)
    return unit_rows(rows @ rows.T)
