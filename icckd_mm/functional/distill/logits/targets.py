"""The true class of each row, and the rest."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_labels, check_pairs


def check_logits(student_logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> None:
    """Raise unless the logits are pairs ``(B, C)`` of at least 2 classes, and the labels are among these.

    Raises:
        TypeError: If a tensor has the wrong kind of dtype.
        ValueError: If shapes, devices or values do not fit.
    """
    check_pairs(student_logits=student_logits, teacher_logits=teacher_logits)
    B, C = student_logits.shape
    if C < 2:
        raise ValueError(f'a class beside the true one is needed, got logits {tuple(student_logits.shape)}')
    check_labels('labels', labels, B, num_classes=C, like=student_logits)


def target_column(rows: Tensor, labels: Tensor) -> Tensor:
    """The entry of each label ``(B,)`` of rows ``(B, C)``."""
    return rows.gather(1, labels.long()[:, None]).squeeze(1)


def without_target(rows: Tensor, labels: Tensor) -> Tensor:
    """Rows ``(B, C - 1)`` without the entry of each label, in order."""
    others = torch.arange(rows.size(1) - 1, device=labels.device)  # a mask would wait for the device
    return rows.gather(1, others + (others >= labels.long()[:, None]))
