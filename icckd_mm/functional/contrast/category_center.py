"""The category-centre contrastive loss: pulls together embeddings of one class, scored against the classifiers' rows."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_labels, check_pairs
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.functional.tensor.numerics import raised, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced

from .class_mates import contrast_with_mates


def category_center_contrastive_loss(
    student_scores: Tensor,
    teacher_scores: Tensor,
    labels: Tensor,
    *,
    temperature: float = 4.0,
    base_temperature: float = 0.07,
    reduction: str = 'mean',
) -> Tensor:
    r"""Supervised contrast of scores against both networks' category centres.

    .. math:: c_a = -\frac{\tau}{\tau_0}\frac1{|P_a|}\sum_{p\in P_a}\log\frac{e^{u_a\cdot u_p/\tau}}
        {\sum_{b\ne a} e^{u_a\cdot u_b/\tau}}, \qquad P_a = \{p\ne a: y_p = y_a\}, \qquad \ell_n = c_{u^S_n} + c_{u^T_n}

    over the ``2N`` vectors :math:`u^S_n, u^T_n` of the batch, which are not normalised. The factor :math:`\tau/\tau_0 = 57.1`
    of the published code is kept: its weights assume it. Half types are raised to fp32, autocast is off inside.

    Args:
        student_scores: :math:`u^S` ``(N, C)``, scores against the student's centres.
        teacher_scores: :math:`u^T` ``(N, C)``, scores against the teacher's centres. In PCKD both come from the
            student's features, and gradient reaches both.
        labels: Classes ``(N,)``.
        temperature: :math:`\tau > 0`. Defaults to 4.0.
        base_temperature: :math:`\tau_0 > 0`. Defaults to 0.07.
        reduction: ``'mean'`` over the N rows, ``'sum'``, or ``'none'``: ``(N,)``. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0; 0 with a gradient path for an empty batch, and for a single row.

    Raises:
        TypeError: If scores are not floating-point or labels not integers.
        ValueError: If shapes, devices or values do not fit.

    Source: PCKD, Ding et al., arXiv 2410.14143, in the form of the published code.

    Example:
        >>> same, labels = torch.ones(2, 3), torch.tensor([0, 0])  # each of 4 vectors against 3 like it, twice 57.1 * log 3
        >>> category_center_contrastive_loss(same, same, labels)
        tensor(125.5557)
    """
    check_positive('temperature', temperature, 4.0)
    check_positive('base_temperature', base_temperature, 0.07)
    check_reduction(reduction)
    check_pairs(student_scores=student_scores, teacher_scores=teacher_scores)
    check_labels('labels', labels, student_scores.size(0), like=student_scores)
    with without_autocast(student_scores):
        scores = torch.cat([raised(student_scores), raised(teacher_scores)])
        # never without a mate: the other score of the same row is one
        contrast = contrast_with_mates(scores, labels.repeat(2), temperature)
        student, teacher = contrast.chunk(2)
        return reduced(temperature / base_temperature * (student + teacher), reduction)
