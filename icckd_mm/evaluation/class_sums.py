"""Number of samples and sum of unit rows per class, from which the geometry of classes follows."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.geometry import mean_distance
from icckd_mm.functional.tensor.numerics import unit_rows

LARGEST, DOUBLE = 2**30, 8  # bytes of a table, and of a number in it


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
        sums: Sums of unit rows ``(C, D)``, float64 on the CPU.
        counts: Samples seen ``(C,)``.

    Raises:
        ValueError: If the table of sums would be larger than 1 GiB.

    Source: our derivation.

    Example:
        >>> sums = ClassSums(2, 4)
        >>> sums.add(torch.eye(4), torch.tensor([0, 0, 1, 1]))
        >>> {name: round(value, 4) for name, value in sums.geometry().items()}
        {'intra': 0.2929, 'inter': 1.0, 'ratio': 0.2929}
    """

    def __init__(self, num_classes: int, width: int) -> None:
        check_table(num_classes, width)
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
        sums = self.sums if several.all() else self.sums[several]  # a table may be large
        intra = max(float((1 - sums.norm(dim=1) / self.counts[several]).mean()), 0.0)
        inter = mean_distance(unit_rows(sums))
        return {'intra': intra, 'inter': inter, 'ratio': intra / inter if inter > 0 else 0.0}


def check_table(num_classes: int, width: int) -> None:
    """Raise ``ValueError`` if the sums of ``num_classes`` rows of ``width`` would take more than ``LARGEST`` bytes."""
    if num_classes * width * DOUBLE > LARGEST:
        raise ValueError(
            f'the geometry of {num_classes} classes in rows of {width} needs a table of '
            f'{num_classes * width * DOUBLE / 2**30:.1f} GiB, allowed is {LARGEST / 2**30:g}; '
            "measure source='features' instead of soft labels, or fewer classes"
        )
