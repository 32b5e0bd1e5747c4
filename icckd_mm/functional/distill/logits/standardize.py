"""Logits of each image at mean 0 and standard deviation 1."""

from __future__ import annotations

import torch
from torch import Tensor

from icckd_mm.functional.tensor.checks import check_features
from icckd_mm.functional.tensor.numerics import raised

SMALL = 1e-7  # as published


def standardized_logits(logits: Tensor) -> Tensor:
    r"""Each row minus its mean, divided by its deviation: :math:`n(z) = (z - \bar z) / (\sigma(z) + 10^{-7})`.

    :math:`\sigma^2 = \frac1{C-1}\sum_k (z_k - \bar z)^2`. Gradient flows through mean and deviation.

    Args:
        logits: ``(B, C)`` of at least 2 classes, any float dtype; half types are raised to fp32.

    Returns:
        Rows of the same shape. A constant row becomes 0 with a zero gradient (our choice; as published it is 1e7).

    Raises:
        TypeError: If the logits are not floating-point.
        ValueError: If the shape does not fit.

    Source: LSKD, Sun et al., CVPR 2024, arXiv 2403.01427.

    Example:
        >>> standardized_logits(torch.tensor([[1.0, 2.0, 3.0], [5.0, 5.0, 5.0]]))
        tensor([[-1.0000,  0.0000,  1.0000],
                [ 0.0000,  0.0000,  0.0000]])
    """
    check_features('logits', logits)
    if logits.size(1) < 2:
        raise ValueError(f'logits of at least 2 classes have a deviation, got shape {tuple(logits.shape)}')
    rows = raised(logits)
    rows = rows - rows.detach().amax(dim=1, keepdim=True)  # equal numbers are exactly 0, and so is their mean
    centred = rows - rows.mean(dim=1, keepdim=True)
    deviation = torch.linalg.vector_norm(centred, dim=1, keepdim=True) / (logits.size(1) - 1) ** 0.5
    return centred / (deviation + SMALL).masked_fill(deviation == 0, torch.inf)
