"""Multi-level logits: divergences at several temperatures, and relations of classes and of images, from two views."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from icckd_mm.functional.distill.logits.soft_labels import soft_label_divergence
from icckd_mm.functional.tensor.checks import check_pairs
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.functional.tensor.numerics import raised, without_autocast
from icckd_mm.functional.tensor.reductions import mean_of

from .standardize import standardized_logits

STRONG = 3  # temperatures, the first ones, at which the strong view counts


def class_correlation(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 4.0) -> Tensor:
    r"""Difference of the classes' relations, :math:`\frac1C\Vert P_T^\top P_T - P_S^\top P_S\Vert_F^2`, of softmaxes at T.

    Args:
        student_logits: ``(B, C)``, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        temperature: :math:`T > 0`. Defaults to 4.0.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: MLKD, Jin, Wang and Lin, CVPR 2023.
    """
    student, teacher = _probabilities(student_logits, teacher_logits, temperature)
    with without_autocast(student):
        return (teacher.T @ teacher - student.T @ student).square().sum() / student.size(1)


def batch_correlation(student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 4.0) -> Tensor:
    r"""Difference of the images' relations, :math:`\frac1B\Vert P_T P_T^\top - P_S P_S^\top\Vert_F^2`, of softmaxes at T.

    Args:
        student_logits: ``(B, C)``, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        temperature: :math:`T > 0`. Defaults to 4.0.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: MLKD, Jin, Wang and Lin, CVPR 2023.
    """
    student, teacher = _probabilities(student_logits, teacher_logits, temperature)
    with without_autocast(student):
        return (teacher @ teacher.T - student @ student.T).square().sum() / max(student.size(0), 1)


def multi_level_loss(
    student_logits: Tensor,
    teacher_logits: Tensor,
    *,
    temperatures: Sequence[float] = (4.0, 3.0, 5.0, 2.0, 6.0),
    standardize: bool = False,
) -> Tensor:
    r"""MLKD as its code computes it, from a weak view :math:`v` and a strong view :math:`v'` of each image.

    .. math:: L = m\sum_{T}\ell^v(T) + \sum_{T \in \text{first 3}}\ell^{v'}(T) + \sum_{T \in \text{rest}}\ell^v(T)
        + m_c\sum_T cc^v(T) + m\sum_T bc^v(T)

    with :math:`\ell` the divergence from soft labels, :math:`cc` and :math:`bc` the class and batch correlation, :math:`m` the
    share of images whose largest probability is at most the median, :math:`m_c` the share of classes whose summed
    probability is. So confidence selects nothing, both shares are about a half; the strong view has no part in the
    correlations nor in the last temperatures. The published figures depend on this code, not on the paper's masks.

    Args:
        student_logits: ``(2N, C)``, the N weak views first, any float dtype; half types are raised to fp32.
        teacher_logits: ``(2N, C)`` of the same images; no gradient reaches them.
        temperatures: Above 0. Defaults to (4, 3, 5, 2, 6).
        standardize: Whether the divergences compare standardised logits (LSKD); the correlations do not. Defaults to False.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: Jin, Wang and Lin, CVPR 2023, in the form of the published code.
    """
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    if len(student_logits) % 2:
        raise ValueError(f'two views of each image are needed, got {len(student_logits)} rows; see TwoViewDataPreprocessor')
    (weak, strong), (weak_teacher, strong_teacher) = (x.chunk(2) for x in (student_logits, teacher_logits.detach()))
    unsure, rare = _low_shares(weak_teacher)
    scaled = standardized_logits if standardize else raised
    loss = raised(weak).sum() * 0
    for index, temperature in enumerate(temperatures):
        weak_term = soft_label_divergence(scaled(weak), scaled(weak_teacher), temperature=temperature)
        strong_term = weak_term
        if index < STRONG:
            strong_term = soft_label_divergence(scaled(strong), scaled(strong_teacher), temperature=temperature)
        classes = class_correlation(weak, weak_teacher, temperature=temperature)
        images = batch_correlation(weak, weak_teacher, temperature=temperature)
        loss = loss + unsure * weak_term + strong_term + rare * classes + unsure * images
    return loss


def _probabilities(student_logits: Tensor, teacher_logits: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    check_positive('temperature', temperature, 4.0)
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    with without_autocast(student_logits):
        student, teacher = ((raised(x) / temperature).softmax(dim=1) for x in (student_logits, teacher_logits.detach()))
        return student, teacher


def _low_shares(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Shares of images and of classes of which the teacher is at most as sure as of the median one."""
    probs = raised(logits).softmax(dim=1)
    images, classes = (mean_of((x <= x.median()).to(x.dtype)) for x in (probs.amax(dim=1), probs.sum(dim=0)))
    return images, classes
