"""How alike a network finds two classes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_features
from icckd_mm.functional.tensor.numerics import raised, unit_rows, without_autocast


def linear_cka(first: Tensor, second: Tensor) -> Tensor:
    r"""Linear centred kernel alignment, :math:`\Vert Y^\top X\Vert_F^2 / (\Vert X^\top X\Vert_F \Vert Y^\top Y\Vert_F)`.

    Args:
        first: :math:`X` ``(N, D)``; columns are centred here.
        second: :math:`Y` ``(N, D')``, row by row with :math:`X`.

    Returns:
        A scalar in ``[0, 1]``; 0 if all rows of one are equal.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If the shapes do not fit.

    Source: Kornblith et al., ICML 2019, arXiv 1905.00414.

    Example:
        >>> linear_cka(torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]]), torch.tensor([[1.0, 0.0], [0.0, 3.0], [1.0, 1.0]]))
        tensor(0.3600)
    """
    return 1 - class_distances([first, second])[0, 1]


def class_distances(features: Sequence[Tensor]) -> Tensor:
    r"""Distances between classes, :math:`D_{ab} = 1 - \mathrm{CKA}(X_a, X_b)`.

    Args:
        features: Of each class ``(N, D)``, the same number of rows in each.

    Returns:
        ``(C, C)``, symmetric, in ``[0, 1]``, 0 on the diagonal.

    Raises:
        TypeError: If a tensor is not floating-point.
        ValueError: If the shapes do not fit.

    Source: WKD-L, Lv, Yang and Li, NeurIPS 2024, arXiv 2412.08139, which takes the rows of each class in the order of the data
    set.
    """
    for index, rows in enumerate(features):
        check_features(f'features[{index}]', rows)
    if not features or len({len(rows) for rows in features}) > 1:
        counts = sorted({len(rows) for rows in features})
        raise ValueError(f'each class needs the same number of rows, got {counts}; cut them to the smallest class')
    centred = [raised(rows) - raised(rows).mean(dim=0) for rows in features]
    distances = torch.zeros(len(features), len(features), dtype=centred[0].dtype)
    tiny = torch.finfo(distances.dtype).tiny
    norms = [torch.linalg.matrix_norm(x.T @ x) for x in centred]
    for a, x in enumerate(centred):
        for b in range(a + 1, len(centred)):
            alike = torch.linalg.matrix_norm(centred[b].T @ x).square() / (norms[a] * norms[b]).clamp_min(tiny)
            distances[a, b] = distances[b, a] = (1 - alike).clamp(0, 1)
    return distances


def center_distances(centers: Tensor) -> Tensor:
    r"""Distances between the rows of a classifier, :math:`D_{ab} = 1 - \cos(w_a, w_b)`.

    Args:
        centers: Rows ``(C, D)`` of the teacher's last layer, any float dtype.

    Returns:
        ``(C, C)`` in ``[0, 2]``, without gradient.

    Raises:
        TypeError: If the tensor is not floating-point.
        ValueError: If it is not 2-D.

    Source: an alternative in the code of WKD-L, Lv, Yang and Li, NeurIPS 2024; needs no pass over the training images.

    Example:
        >>> center_distances(torch.tensor([[1.0, 0.0], [0.0, 2.0]]))
        tensor([[0., 1.],
                [1., 0.]])
    """
    check_features('centers', centers)
    with torch.no_grad(), without_autocast(centers):
        rows = unit_rows(raised(centers))
        return (1 - rows @ rows.T).clamp_min(0)
