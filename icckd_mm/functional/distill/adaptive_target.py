"""Soft cross-entropy with a strengthened true class, for teachers of another architecture."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from icckd_mm.functional.tensor.checks import check_labels, check_pairs
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.functional.tensor.numerics import not_finite_marks, raised, without_autocast
from icckd_mm.functional.tensor.reductions import mean_of


def adaptive_target_loss(student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, *, eps: float = 1.0) -> Tensor:
    r"""OFA, :math:`-\frac1B\sum_i\sum_k\big[(p^T_{ik} + \mathbb 1_{k=y})^{\epsilon} - \mathbb 1_{k=y}\big]\log p_{ik}`.

    For :math:`\epsilon = 1` it is the cross-entropy with the teacher's probabilities; a larger one strengthens the true class
    where the teacher is sure of it.

    Args:
        student_logits: ``(B, C)``, any float dtype; half types are raised to fp32.
        teacher_logits: ``(B, C)`` of the same images; no gradient reaches them.
        labels: Classes ``(B,)``, or scores ``(B, C)`` of smoothed or mixed labels, whose largest is the class.
        eps: :math:`\epsilon > 0`.

    Returns:
        A scalar of at least 0 for :math:`\epsilon \ge 1`; 0 with a gradient path for an empty batch.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.

    Source: Hao et al. 2023, arXiv 2310.19444, Eq. 7, and its code for mixed labels.

    Example:
        >>> zeros, label = torch.zeros(1, 2), torch.tensor([0])
        >>> adaptive_target_loss(zeros, zeros, label), adaptive_target_loss(zeros, zeros, label, eps=2.0)
        (tensor(0.6931), tensor(1.0397))
    """
    check_positive('eps', eps, 1.0)
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    classes = student_logits.size(1)
    if isinstance(labels, Tensor) and labels.is_floating_point() and labels.shape == student_logits.shape:
        labels = labels.argmax(dim=1)
    check_labels('labels', labels, student_logits.size(0), num_classes=classes, like=student_logits)
    with without_autocast(student_logits):
        true = F.one_hot(labels.long(), classes)
        targets = (raised(teacher_logits.detach()).softmax(dim=1) + true).pow(eps) - true
        losses = -(targets * raised(student_logits).log_softmax(dim=1)).sum(dim=1)
        return mean_of(losses + not_finite_marks(teacher_logits))
