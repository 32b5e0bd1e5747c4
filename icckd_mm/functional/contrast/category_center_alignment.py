"""The two alignments of category-centre distillation: pooled features, and the classifiers' rows."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_bias, check_features, check_pairs
from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced


def feature_alignment_loss(student_features: Tensor, teacher_features: Tensor, *, reduction: str = 'mean') -> Tensor:
    r"""Cosine distance of features, :math:`\ell_n = 2 - 2\cos(f^S_n, f^T_n)`.

    Args:
        student_features: ``(N, D)``, any float dtype; half types are raised to fp32.
        teacher_features: ``(N, D)`` of the same images; no gradient reaches them.
        reduction: ``'mean'``, ``'sum'`` or ``'none'``: ``(N,)``. Defaults to ``'mean'``.

    Returns:
        The loss in ``[0, 4]``; a zero row has cosine 0 with all.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: PCKD, Ding et al., arXiv 2410.14143, in the form of the published code.

    Example:
        >>> feature_alignment_loss(torch.tensor([[2.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
        tensor(1.)
    """
    check_reduction(reduction)
    check_pairs(student_features=student_features, teacher_features=teacher_features)
    with without_autocast(student_features):
        student, teacher = unit_rows(raised(student_features)), unit_rows(raised(teacher_features.detach()))
        return reduced(2 - 2 * (student * teacher).sum(dim=1), reduction)


def center_alignment_loss(
    student_centers: Tensor, student_bias: Tensor, teacher_centers: Tensor, teacher_bias: Tensor
) -> Tensor:
    r"""Mean squared difference of two classifiers, :math:`\frac1{C(D+1)}\lVert[W^S|b^S]-[W^T|b^T]\rVert_F^2`.

    Args:
        student_centers: Rows of the student's classifier ``(C, D)``.
        student_bias: Its bias ``(C,)``.
        teacher_centers: Rows of the teacher's classifier ``(C, D)``; no gradient reaches them.
        teacher_bias: Its bias ``(C,)``; no gradient reaches it either.

    Returns:
        The loss, a scalar of at least 0.

    Raises:
        TypeError: If rows are not floating-point.
        ValueError: If the classifiers differ in shape. The published code gives 0 there; leave the term out instead.

    Source: PCKD, Ding et al., arXiv 2410.14143, in the form of the published code.

    Example:
        >>> center_alignment_loss(torch.ones(2, 3), torch.ones(2), torch.zeros(2, 3), torch.ones(2))
        tensor(0.7500)
    """
    check_features('student_centers', student_centers)
    check_features('teacher_centers', teacher_centers)
    if student_centers.shape != teacher_centers.shape:
        raise ValueError(
            f'student_centers and teacher_centers must have one shape, got {tuple(student_centers.shape)} and '
            f'{tuple(teacher_centers.shape)}; where the feature widths differ, leave this loss out'
        )
    for name, bias in (('student_bias', student_bias), ('teacher_bias', teacher_bias)):
        check_bias(name, bias, student_centers.size(0))
    student = torch.cat([raised(student_centers), raised(student_bias)[:, None]], dim=1)
    teacher = torch.cat([raised(teacher_centers), raised(teacher_bias)[:, None]], dim=1)
    return (student - teacher.detach()).square().mean()
