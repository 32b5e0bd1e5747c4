"""What the losses of relational distillation share: the batch that they compare."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn

from icckd_mm.functional.distill.pairs import check_images
from icckd_mm.functional.tensor.number_checks import check_weight
from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast


class RelationalLoss(nn.Module):
    """Compares relations between the images of a batch; a batch with too few of them gives 0 with a zero gradient.

    Args:
        loss_weight: At least 0.
        with_l2_norm: Whether features are scaled to length 1 first.

    Raises:
        ValueError: If the weight is out of range.
    """

    fewest: ClassVar[int]  # images that have a relation

    def __init__(self, loss_weight: float, with_l2_norm: bool) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        self.loss_weight, self.with_l2_norm = loss_weight, with_l2_norm

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the relations.

        Args:
            preds_S: Features of the student ``(B, D)`` or maps.
            preds_T: Features of the teacher ``(B, D')`` or maps.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor is not floating-point.
            ValueError: If the batches or devices differ.
        """
        check_images(preds_S, preds_T)
        student, teacher = (raised(x).flatten(1) for x in (preds_S, preds_T))
        if len(student) < self.fewest:
            return 0 * student.sum()
        with without_autocast(student):
            if self.with_l2_norm:
                student, teacher = unit_rows(student), unit_rows(teacher)
            return self.loss_weight * self.difference(student, teacher)

    def difference(self, student: Tensor, teacher: Tensor) -> Tensor:
        """Mean difference of the relations in ``(B, D)`` and ``(B, D')``."""
        raise NotImplementedError
