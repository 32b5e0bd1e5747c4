"""Cross-entropy of a classifier whose batch holds several views of each image."""

from __future__ import annotations

from typing import Any

from mmpretrain.models.losses import CrossEntropyLoss
from torch import Tensor

from icckd_mm.functional.contrast.category_center_preview import check_rotations
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import MODELS


@MODELS.register_module()
class FirstViewCrossEntropyLoss(CrossEntropyLoss):
    """mmpretrain's ``CrossEntropyLoss`` on the first of every ``num_rotations`` rows: the ``loss`` of a PCKD student's head.

    Args:
        num_rotations: Rows of each image. Defaults to 4, as :class:`icckd_mm.RotationDataPreprocessor` makes.
        **kwargs: Arguments of mmpretrain's ``CrossEntropyLoss``.

    Raises:
        ValueError: If ``num_rotations`` is below 1.

    Source: PCKD, Ding et al., arXiv 2410.14143, whose cross-entropy sees only the upright view.
    """

    def __init__(self, num_rotations: int = 4, **kwargs: Any) -> None:
        check_count('num_rotations', num_rotations)
        super().__init__(**kwargs)
        self.num_rotations = num_rotations

    def forward(self, cls_score: Tensor, label: Tensor, avg_factor: float | None = None, **kwargs: Any) -> Tensor:
        """The loss of the rows ``0, R, 2R, …``.

        Args:
            cls_score: Logits ``(N, C)``, image by image.
            label: Classes ``(N,)``.
            avg_factor: Divisor of the sum over all rows. Defaults to None, their number.
            **kwargs: Passed on.

        Returns:
            The loss.

        Raises:
            TypeError: If the labels are not class indices.
            ValueError: If the rows cannot be grouped.
        """
        check_rotations(label, self.num_rotations)
        first = slice(None, None, self.num_rotations)
        factor = None if avg_factor is None else avg_factor / self.num_rotations
        return super().forward(cls_score[first], label[first], avg_factor=factor, **kwargs)
