"""Files with the distances between classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

LARGEST = 65536  # classes


def read_distances(path: str | Path) -> Tensor:
    """The matrix of distances that ``tools/analysis/class_distances.py`` wrote.

    Args:
        path: A ``.npy`` file.

    Returns:
        ``(C, C)`` float32.

    Raises:
        ValueError: If it is not a symmetric matrix of finite distances of at least 0, with 0 on the diagonal.
    """
    try:
        rows = np.lib.format.open_memmap(path, mode='r')  # refuses pickles and truncated files
    except Exception as error:
        raise ValueError(f'{path} cannot be read ({" ".join(str(error).split())}); give a .npy file of distances') from error
    if rows.dtype.kind != 'f' or rows.ndim != 2 or rows.shape[0] != rows.shape[1] or not 2 <= rows.shape[0] <= LARGEST:
        raise ValueError(f'{path} holds {rows.dtype} {rows.shape}, not one row and one column of numbers for each class')
    distances = torch.from_numpy(np.array(rows, dtype=np.float32))
    if not distances.isfinite().all() or (distances < 0).any() or distances.diagonal().any():
        raise ValueError(f'{path} must hold finite distances of at least 0, and 0 on the diagonal')
    if not torch.allclose(distances, distances.T, atol=1e-6):
        raise ValueError(f'{path} must be symmetric: the distance of two classes has no direction')
    return distances
