"""Variational information distillation: the student predicts the teacher's maps with a learnt variance per channel."""

from __future__ import annotations

from torch import Tensor

from icckd_mm.functional.tensor.checks import check_floating, check_map
from icckd_mm.functional.tensor.numerics import raised
from icckd_mm.functional.tensor.reductions import mean_of


def variational_information_loss(predicted_map: Tensor, teacher_map: Tensor, variances: Tensor) -> Tensor:
    r"""VID, the mean of :math:`\frac12\big[\frac{(m - F^T)^2}{v_c} + \log v_c\big]` over all entries.

    Args:
        predicted_map: :math:`m` ``(B, C, H, W)``, any float dtype; half types are raised to fp32.
        teacher_map: :math:`F^T`, same shape.
        variances: :math:`v > 0` ``(C,)``.

    Returns:
        A scalar; below 0 once variances are below 1 and the prediction is good.

    Raises:
        TypeError: If a map is not floating-point.
        ValueError: If the shapes do not fit.

    Source: Ahn et al. 2019, arXiv 1904.05835, Eq. 5.

    Example:
        >>> variational_information_loss(torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2), torch.tensor([1.0]))
        tensor(0.5000)
    """
    check_map('predicted_map', predicted_map)
    check_map('teacher_map', teacher_map)
    check_floating('variances', variances, ' (C,)')
    if predicted_map.shape != teacher_map.shape or variances.shape != predicted_map.shape[1:2]:
        raise ValueError(
            f'the maps must have one shape and a variance per channel, got {tuple(predicted_map.shape)}, '
            f'{tuple(teacher_map.shape)} and {tuple(variances.shape)}'
        )
    scale = raised(variances)[None, :, None, None]
    return 0.5 * mean_of((raised(predicted_map) - raised(teacher_map)).square() / scale + scale.log())
