"""Normalised knowledge distillation: the true class, and the other classes as a distribution of their own."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.functional.tensor.numerics import not_finite_marks, raised, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced

from .targets import check_logits, target_column, without_target


def normalized_cross_entropy(
    student_logits: Tensor,
    teacher_logits: Tensor,
    labels: Tensor,
    *,
    temperature: float = 1.0,
    gamma: float = 1.5,
    reduction: str = 'mean',
) -> Tensor:
    r"""NKD, :math:`\ell_i = -p^T_{iy}\log p^S_{iy} - \gamma\,T^2\sum_{k\ne y}\hat q^T_{ik}\log\hat q^S_{ik}`, sample by sample.

    The first term has temperature 1, :math:`\hat q` is the softmax at :math:`T` without class :math:`y`. These are
    cross-entropies, not divergences: the loss of a perfect student is not 0.

    Args:
        student_logits: ``(B, C)``, ``C`` at least 2, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        labels: Classes ``(B,)``.
        temperature: :math:`T > 0`. Defaults to 1.0.
        gamma: :math:`\gamma \ge 0`; 0 leaves the first term. Defaults to 1.5.
        reduction: ``'mean'``, ``'sum'`` or ``'none'``: ``(B,)``. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.

    Source: Yang et al., ICCV 2023, arXiv 2303.13005. Figures called NKD in the paper of SDD come from a loss that keeps class
    :math:`y` in the second term.

    Example:
        >>> logits, labels = torch.tensor([[0.0, 0.0, 0.0]]), torch.tensor([0])
        >>> normalized_cross_entropy(logits, logits, labels, gamma=1.0)  # (log 3) / 3 + log 2
        tensor(1.0594)
    """
    check_positive('temperature', temperature, 1.0)
    check_weight('gamma', gamma, 1.5)
    check_reduction(reduction)
    check_logits(student_logits, teacher_logits, labels)
    with without_autocast(student_logits):
        student, teacher = raised(student_logits), raised(teacher_logits.detach())
        own, target = (target_column(x.log_softmax(dim=1), labels) for x in (student, teacher))
        losses = -target.exp() * own
        if gamma:
            own, soft = (without_target(x / temperature, labels).log_softmax(dim=1) for x in (student, teacher))
            losses = losses - gamma * temperature**2 * (soft.exp() * own).sum(dim=1)
        return reduced(losses + not_finite_marks(teacher), reduction)
