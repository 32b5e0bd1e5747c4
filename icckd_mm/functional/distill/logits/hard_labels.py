"""The teacher's decision as a label."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from icckd_mm.functional.tensor.checks import check_pairs
from icckd_mm.functional.tensor.numerics import not_finite_marks, raised, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced


def hard_label_cross_entropy(student_logits: Tensor, teacher_logits: Tensor, *, reduction: str = 'mean') -> Tensor:
    r"""Cross-entropy to the class that the teacher chooses, :math:`\ell_i = -\log p^S_{ic}`, :math:`c = \arg\max_k z^T_{ik}`.

    Args:
        student_logits: ``(B, C)``, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images.
        reduction: ``'mean'``, ``'sum'`` or ``'none'``: ``(B,)``. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes or devices do not fit.

    Source: Touvron et al. 2021, arXiv 2012.12877, Eq. 3.

    Example:
        >>> hard_label_cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([[1.0, 5.0]]))
        tensor(0.6931)
    """
    check_reduction(reduction)
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    with without_autocast(student_logits):
        losses = F.cross_entropy(raised(student_logits), teacher_logits.argmax(dim=1), reduction='none')
        return reduced(losses + not_finite_marks(teacher_logits), reduction)
