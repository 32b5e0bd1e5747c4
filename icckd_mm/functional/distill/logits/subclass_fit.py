"""Finds pseudo-subclasses in the features of a class."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_features, check_labels
from icckd_mm.functional.tensor.number_checks import check_count, check_positive

HOW = ('kmeans', 'pca')
FLAT, SAME = 1e-6, 1e-12  # least share of a class's variance, and of its squared length, that counts as spread


def fit_subclasses(
    features: Tensor, labels: Tensor, num_classes: int, subclasses: int, how: str, sharpness: float
) -> tuple[Tensor, Tensor]:
    r"""The linear map of :func:`.subclass_logits`, from a teacher's features of the training images.

    ``'kmeans'``: scores are :math:`-a\,\lVert f - \mu_{cs}\rVert^2 / (2 v_c)` without the part that is common to a class, with
    the centres :math:`\mu_{cs}` of k-means in class :math:`c` and the mean squared distance :math:`v_c` to the nearest one.
    ``'pca'``: scores are :math:`a\,u_{cs}^\top (f - \mu_c) / \sigma_{cs}`, along the principal directions of a class, each with
    unit variance.

    Args:
        features: ``(N, D)``.
        labels: Classes ``(N,)``.
        num_classes: ``C``.
        subclasses: ``S``. A class of ``S`` images or fewer is not divided: its scores are 0. ``'pca'`` needs ``S`` dimensions.
        how: ``'kmeans'`` or ``'pca'``.
        sharpness: :math:`a > 0`; large values make an image belong to one subclass.

    Returns:
        ``weight`` ``(C, S, D)`` and ``bias`` ``(C, S)`` in single precision.

    Raises:
        ValueError: If an argument is out of range.

    Source: k-means: our choice, after the trials of Loo et al. 2024, arXiv 2409.20449, who also take principal directions;
    theirs leave out what the teacher's classifier reads, and are turned at random, which these are not.
    """
    check_features('features', features)
    check_labels('labels', labels, len(features), num_classes=num_classes, like=features)
    check_count('subclasses', subclasses)
    check_positive('sharpness', sharpness)
    if how not in HOW:
        raise ValueError(f'how must be one of {", ".join(HOW)}, got {how!r}')
    if how == 'pca' and subclasses > features.size(1):
        raise ValueError(f'{subclasses} principal directions need as many dimensions, the features have {features.size(1)}')
    fit = _centres if how == 'kmeans' else _directions
    weight, bias = torch.zeros(num_classes, subclasses, features.size(1)), torch.zeros(num_classes, subclasses)
    for c in range(num_classes):
        rows = features[labels == c].double().cpu().numpy()
        if len(rows) > subclasses:
            weight[c], bias[c] = map(torch.from_numpy, fit(rows, subclasses, sharpness))
    return weight, bias


def _centres(rows: np.ndarray, subclasses: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.cluster import KMeans  # heavy

    variance = rows.var(axis=0).sum()
    if variance <= SAME * (rows**2).sum(axis=1).mean():
        return np.zeros((subclasses, rows.shape[1])), np.zeros(subclasses)  # nothing to divide
    found = KMeans(subclasses, n_init=4, random_state=0).fit(rows)
    scale = sharpness / max(found.inertia_ / len(rows), FLAT * variance)
    centres = found.cluster_centers_
    return scale * centres, -0.5 * scale * (centres**2).sum(axis=1)


def _directions(rows: np.ndarray, subclasses: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    mean = rows.mean(axis=0)
    _, values, directions = np.linalg.svd(rows - mean, full_matrices=False)
    directions = directions[:subclasses]
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(subclasses), largest])[:, None]  # the sign of an SVD is arbitrary
    spread = values[:subclasses] / np.sqrt(len(rows))
    flat = (spread**2 <= FLAT * (rows.var(axis=0).sum())) | (spread**2 <= SAME * (rows**2).sum(axis=1).mean())
    weight = sharpness * directions / np.where(flat, np.inf, spread)[:, None]  # a direction without spread says nothing
    return weight, -weight @ mean
