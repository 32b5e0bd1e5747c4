"""Distances of features within and between classes."""

from __future__ import annotations

from torch import Tensor

from .tensor.checks import check_features, check_labels
from .tensor.numerics import raised, unit_rows


def class_geometry(features: Tensor, labels: Tensor) -> dict[str, float]:
    r"""Intra- and inter-class cosine distance of unit features, and their ratio.

    With :math:`\mu_c` the normalised mean of class :math:`c`: ``intra`` is the mean over classes of the mean of
    :math:`1-\hat f\cdot\mu_c`, ``inter`` the mean over pairs of classes of :math:`1-\mu_c\cdot\mu_{c'}`.

    Args:
        features: Features ``(N, D)``, any float dtype. NaN gives NaN.
        labels: Classes ``(N,)``, integers from 0. Classes with fewer than 2 samples are left out.

    Returns:
        ``intra`` and ``inter`` in ``[0, 2]`` and ``ratio = intra / inter``. 0 where there is nothing to measure (no class
        with 2 samples, or, for ``inter`` and ``ratio``, a single class); ``ratio`` also where all centres coincide.

    Raises:
        TypeError: If the features are not floating-point or the labels not integers.
        ValueError: If the shapes do not belong together.

    Source: the ratio of intra- to inter-class distance is the subject of the theory in Yuan et al. 2025, arXiv 2509.22053;
    cosine distance to the centre is our choice.

    Example:
        >>> geometry = class_geometry(torch.eye(4), torch.tensor([0, 0, 1, 1]))
        >>> {name: round(value, 4) for name, value in geometry.items()}
        {'intra': 0.2929, 'inter': 1.0, 'ratio': 0.2929}
    """
    check_features('features', features)
    check_labels('labels', labels, features.size(0), like=features)
    unit = unit_rows(raised(features.detach()))
    _, index, counts = labels.unique(return_inverse=True, return_counts=True)
    centres = unit_rows(unit.new_zeros(len(counts), unit.size(1)).index_add_(0, index, unit))
    spread = unit.new_zeros(len(counts)).index_add_(0, index, 1 - (unit * centres[index]).sum(dim=1)) / counts
    several = counts >= 2
    centres, spread = centres[several], spread[several]
    if not len(spread):
        return {'intra': 0.0, 'inter': 0.0, 'ratio': 0.0}
    intra = max(float(spread.mean()), 0.0)
    inter = mean_distance(centres)
    return {'intra': intra, 'inter': inter, 'ratio': intra / inter if inter else 0.0}


def mean_distance(centres: Tensor) -> float:
    """Mean cosine distance over all pairs of unit rows ``(C, D)``, in ``[0, 2]``; 0 for a single row."""
    classes = len(centres)
    if classes < 2:
        return 0.0
    # the sum over pairs without the C x C matrix: |sum mu|^2 - sum |mu|^2
    pairs = float(centres.sum(dim=0).square().sum() - centres.square().sum()) / (classes * (classes - 1))
    return max(1 - pairs, 0.0)
