"""Number of samples and sum of unit rows per class, from which the geometry of classes follows."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional import class_geometry
from icckd_mm.functional.tensor.numerics import unit_rows


class ClassSums:
    r"""Computes :func:`icckd_mm.functional.class_geometry` in batches and over processes, without storing samples.

    With :math:`s_c=\sum_{i\in c}\hat f_i` and :math:`n_c` samples, the centre is :math:`\mu_c=s_c/\lVert s_c\rVert`, so the
    mean distance within the class is

    .. math:: \frac1{n_c}\sum_{i\in c}(1-\hat f_i\cdot\mu_c)=1-\frac{s_c\cdot\mu_c}{n_c}=1-\frac{\lVert s_c\rVert}{n_c},

    and distances between centres need nothing else. Sums are in float64: the order of batches changes the last digits only.

    Args:
        num_classes: Number of classes ``C``.
        width: Width ``D`` of the rows.

    Attributes:
        sums (Tensor): Sums of unit rows ``(C, D)``, float64 on the CPU.
        counts (Tensor): Samples seen ``(C,)``.

    Source: our derivation.

    Example:
        >>> sums = ClassSums(2, 4)
        >>> sums.add(torch.eye(4), torch.tensor([0, 0, 1, 1]))
        >>> {name: round(value, 4) for name, value in sums.geometry().items()}
        {'intra': 0.2929, 'inter': 1.0, 'ratio': 0.2929}
    """

    def __init__(self, num_classes: int, width: int) -> None:
        self.sums = torch.zeros(num_classes, width, dtype=torch.float64)
        self.counts = torch.zeros(num_classes, dtype=torch.int64)

    def add(self, rows: Tensor, labels: Tensor) -> None:
        """Add samples.

        Args:
            rows: Rows ``(B, D)`` of any length, any float dtype.
            labels: Classes ``(B,)`` in ``[0, C)``.
        """
        self.sums.index_add_(0, labels, unit_rows(rows.to(self.sums)))
        self.counts += labels.bincount(minlength=len(self.counts))

    def merge(self, other: ClassSums) -> None:
        """Add the samples of another process."""
        self.sums += other.sums
        self.counts += other.counts

    def geometry(self) -> dict[str, float]:
        """The result of :func:`icckd_mm.functional.class_geometry` for all rows.

        Returns:
            ``intra`` and ``inter`` in ``[0, 2]``, and ``ratio``; 0 where there is nothing to measure.
        """
        several = self.counts >= 2
        if not several.any():
            return {'intra': 0.0, 'inter': 0.0, 'ratio': 0.0}
        sums = self.sums[several]
        intra = max(float((1 - sums.norm(dim=1) / self.counts[several]).mean()), 0.0)
        # each class twice at its centre: the distances between the centres are those between the classes
        centres = torch.arange(len(sums)).repeat(2)
        inter = class_geometry(sums.repeat(2, 1), centres)['inter']
        return {'intra': intra, 'inter': inter, 'ratio': intra / inter if inter > 0 else 0.0}
