"""Decoupled knowledge distillation: the true class against the rest, and the rest among themselves."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.functional.tensor.numerics import raised, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced

from .soft_labels import divergence
from .targets import check_logits, target_column, without_target


def decoupled_divergence(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: float = 4.0,
    alpha: float = 1.0,
    beta: float = 8.0,
    reduction: str = 'mean',
) -> Tensor:
    r"""DKD, :math:`\ell_i = T^2 (\alpha\,KL(b^T_i\Vert b^S_i) + \beta\,KL(\hat p^T_i\Vert\hat p^S_i))`, sample by sample.

    :math:`b = (p_y, 1 - p_y)`, and :math:`\hat p` is the softmax without class :math:`y`, both at temperature :math:`T`.
    Everything is computed from logarithms, so that saturated logits give finite values.

    Args:
        student_logits: ``(B, C)``, ``C`` at least 2, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        labels: Classes ``(B,)``.
        temperature: :math:`T > 0`. Defaults to 4.0.
        alpha: :math:`\alpha \ge 0`. Defaults to 1.0.
        beta: :math:`\beta \ge 0`. Defaults to 8.0.
        reduction: ``'mean'``, ``'sum'`` or ``'none'``: ``(B,)``. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.

    Source: Zhao et al. 2022, arXiv 2203.08679, Eq. 7.

    Example:
        >>> decoupled_divergence(torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([0]))
        tensor(5.0100)
    """
    check_positive('temperature', temperature, 4.0)
    check_weight('alpha', alpha, 1.0)
    check_weight('beta', beta, 8.0)
    check_reduction(reduction)
    check_logits(student_logits, teacher_logits, labels)
    with without_autocast(student_logits):
        student_target, student_rest = _parts(student_logits, labels, temperature)
        teacher_target, teacher_rest = _parts(teacher_logits.detach(), labels, temperature)
        losses = alpha * divergence(teacher_target, student_target) + beta * divergence(teacher_rest, student_rest)
        return reduced(temperature**2 * losses, reduction)


def _parts(logits: Tensor, labels: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Logarithms of ``(p_y, 1 - p_y)``, shape ``(B, 2)``, and of the softmax of the rest, ``(B, C - 1)``."""
    log_probs = (raised(logits) / temperature).log_softmax(dim=1)
    log_rest = without_target(log_probs, labels)
    target = torch.stack([target_column(log_probs, labels), log_rest.logsumexp(dim=1)], dim=1)
    return target, log_rest.log_softmax(dim=1)
