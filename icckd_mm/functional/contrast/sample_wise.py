"""The sample-wise contrastive loss of a student: each teacher sample picks out its own student sample from the batch."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.checks import check_pairs
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast
from icckd_mm.functional.tensor.reductions import check_reduction, reduced


def sample_wise_contrastive_loss(
    student_logits: Tensor, teacher_logits: Tensor, *, temperature: float = 1.0, reduction: str = 'mean'
) -> Tensor:
    r"""InfoNCE of logits, teacher samples against all student samples of the batch.

    .. math:: \ell_i = -\log\frac{e^{\hat z^T_i\cdot\hat z^S_i/\tau}}{\sum_{j=1}^{B} e^{\hat z^T_i\cdot\hat z^S_j/\tau}}

    One direction only. The logits are normalised inside; a zero row has cosine 0 with all. Half types are raised to fp32,
    autocast is off inside. Gradient reaches the student alone. Labels are not used: images of the same class are negatives too.
    The mean starts near :math:`\log B` and cannot fall below :math:`\log(1 + (B-1)e^{-2/\tau})`, 2.25 for a batch of 64.

    Args:
        student_logits: ``(B, C)``, any float dtype.
        teacher_logits: ``(B, C)`` of the same images.
        temperature: :math:`\tau > 0`. Defaults to 1.0.
        reduction: ``'mean'``, ``'sum'`` or ``'none'``: ``(B,)``. Defaults to ``'mean'``.

    Returns:
        The loss, at least 0; 0 with a gradient path for an empty batch.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If shapes, devices or values do not fit.

    Source: CKD, Zhu et al., arXiv 2404.14109, in the form of the published code.

    Example:
        >>> eye = torch.eye(2)
        >>> sample_wise_contrastive_loss(eye, eye), sample_wise_contrastive_loss(eye.flip(0), eye)
        (tensor(0.3133), tensor(1.3133))
    """
    check_positive('temperature', temperature, 1.0)
    check_reduction(reduction)
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    with without_autocast(student_logits):
        student, teacher = unit_rows(raised(student_logits)), unit_rows(raised(teacher_logits.detach()))
        products = teacher.to(student.dtype) @ student.T / temperature
        return reduced(products.logsumexp(dim=1) - products.diagonal(), reduction)
