"""The divergence from a teacher's soft labels."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.checks import check_pairs
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.functional.tensor.numerics import raised, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced


def soft_label_divergence(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 4.0, reduction: str = 'mean'
) -> Tensor:
    r"""Divergence from the teacher's soft labels, :math:`\ell_i = T^2\,KL(p^T_i\Vert p^S_i)`, sample by sample.

    Args:
        student_logits: ``(B, C)``, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        temperature: :math:`T > 0`. Defaults to 4.0.
        reduction: ``'mean'`` (KL's ``batchmean``), ``'sum'`` or ``'none'``: ``(B,)``. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: Hinton et al. 2015, arXiv 1503.02531.

    Example:
        >>> soft_label_divergence(torch.tensor([[0.0, 4.0]]), torch.tensor([[4.0, 0.0]]))
        tensor(7.3939)
    """
    check_positive('temperature', temperature, 4.0)
    check_reduction(reduction)
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    with without_autocast(student_logits):
        student = (raised(student_logits) / temperature).log_softmax(dim=1)
        teacher = (raised(teacher_logits.detach()) / temperature).log_softmax(dim=1)
        return reduced(temperature**2 * divergence(teacher, student), reduction)


def divergence(log_p: Tensor, log_q: Tensor) -> Tensor:
    """``KL(p || q)`` of each row from finite logarithms."""
    return (log_p.exp() * (log_p - log_q)).sum(dim=1)
