"""Transformed teacher matching: only the teacher has a temperature."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.checks import check_pairs
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.functional.tensor.numerics import raised, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced

from .soft_labels import divergence


def transformed_teacher_divergence(
    student_logits: Tensor, teacher_logits: Tensor, *, gamma: float = 0.1, weighted: bool = False, reduction: str = 'mean'
) -> Tensor:
    r"""TTM, :math:`\ell_i = KL(q_i\Vert p^S_i)` with :math:`q_{ik} = (p^T_{ik})^\gamma / U_i`; WTTM is :math:`U_i\,\ell_i`.

    :math:`U_i = \sum_k (p^T_{ik})^\gamma` lies between 1 and :math:`C^{1-\gamma}`, large for a teacher that is unsure. So
    :math:`q` is the teacher at temperature :math:`1/\gamma`, the student has temperature 1, and there is no factor
    :math:`T^2`.

    Args:
        student_logits: ``(B, C)``, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        gamma: Exponent :math:`\gamma` above 0, at most 1. Defaults to 0.1.
        weighted: Whether each image is weighted by :math:`U_i` (WTTM). Defaults to False.
        reduction: ``'mean'``, ``'sum'`` or ``'none'``: ``(B,)``. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: Zheng and Yang, ICLR 2024, arXiv 2402.11148.

    Example:
        >>> logits = torch.tensor([[0.0, 4.0]])
        >>> transformed_teacher_divergence(logits, logits, gamma=1.0), transformed_teacher_divergence(logits, -logits)
        (tensor(0.), tensor(1.7394))
    """
    check_positive('gamma', gamma, 0.1)
    if gamma > 1:
        raise ValueError(f'gamma must be at most 1, got {gamma}; above it the teacher would be sharper, 0.1 is the default')
    check_reduction(reduction)
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    with without_autocast(student_logits):
        powers = gamma * raised(teacher_logits.detach()).log_softmax(dim=1)
        targets = powers.log_softmax(dim=1)
        losses = divergence(targets, raised(student_logits).log_softmax(dim=1))
        if weighted:
            losses = losses * powers.logsumexp(dim=1).exp()
        return reduced(losses, reduction)
