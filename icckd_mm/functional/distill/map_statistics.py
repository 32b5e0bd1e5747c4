"""Means and deviations of maps, compared as Gaussians."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_map
from icckd_mm.functional.tensor.number_checks import check_count, check_weight
from icckd_mm.functional.tensor.numerics import raised

from .pairs import check_same_shape

SMALL = 1e-5  # added to variances, as published


def gaussian_distance_loss(student_map: Tensor, teacher_map: Tensor, *, grid: int = 1, mean_ratio: float = 4.0) -> Tensor:
    r"""WKD-F, :math:`\frac1{BG^2}\sum r\,\lVert\mu^S - \mu^T\rVert^2 + \lVert\sigma^S - \sigma^T\rVert^2` over cells of a grid.

    :math:`\mu` and :math:`\sigma = \sqrt{\mathrm{var} + 10^{-5}}` are those of each channel over the places of a cell, the
    variance unbiased. For :math:`r = 1` it is the squared Wasserstein distance of Gaussians with these statistics.

    Args:
        student_map: ``(B, C, H, W)``, any float dtype; half types are raised to fp32.
        teacher_map: Same shape.
        grid: :math:`G`, at least 1; cells are those of ``adaptive_avg_pool2d``, of at least 2 places each.
        mean_ratio: :math:`r \ge 0`.

    Returns:
        A scalar of at least 0.

    Raises:
        TypeError: If a map is not floating-point.
        ValueError: If shapes or values do not fit.

    Source: WKD, Lv et al. 2024, arXiv 2412.08139, Eq. 10-11; epsilon and cells as in its code.

    Example:
        >>> zeros = torch.zeros(1, 3, 2, 2)
        >>> gaussian_distance_loss(zeros, zeros + 1), gaussian_distance_loss(zeros, zeros + 1, mean_ratio=1.0)
        (tensor(12.), tensor(3.))
    """
    check_count('grid', grid)
    check_weight('mean_ratio', mean_ratio, 4.0)
    check_map('student_map', student_map)
    check_map('teacher_map', teacher_map)
    check_same_shape('WKD-F', student_map, teacher_map)
    rows, columns = (_cells(length, grid) for length in student_map.shape[2:])
    if min(stop - start for start, stop in rows) * min(stop - start for start, stop in columns) < 2:
        raise ValueError(
            f'each of {grid}x{grid} cells needs two places for a deviation, got maps {tuple(student_map.shape)}; lower grid'
        )
    (own_mean, own_std), (mean, std) = (_statistics(raised(x), rows, columns) for x in (student_map, teacher_map))
    total = mean_ratio * (own_mean - mean).square().sum() + (own_std - std).square().sum()
    return total / max(student_map.size(0) * grid**2, 1)


def _cells(length: int, grid: int) -> list[tuple[int, int]]:
    """First place and end of each cell along a side."""
    return [(cell * length // grid, -(-(cell + 1) * length // grid)) for cell in range(grid)]


def _statistics(maps: Tensor, rows: list[tuple[int, int]], columns: list[tuple[int, int]]) -> tuple[Tensor, Tensor]:
    """Means and deviations ``(cells, B, C)``."""
    cells = [maps[:, :, top:bottom, left:right].flatten(2) for top, bottom in rows for left, right in columns]
    means = torch.stack([cell.mean(dim=2) for cell in cells])
    squares = [(cell - mean[:, :, None]).square().sum(dim=2) for cell, mean in zip(cells, means)]  # var() warns of no images
    return means, torch.stack([(total / (cell.size(2) - 1) + SMALL).sqrt() for total, cell in zip(squares, cells)])
