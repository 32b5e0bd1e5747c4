"""Variational information distillation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from icckd_mm.distill.losses.feature_loss import FeatureLoss
from icckd_mm.functional import variational_information_loss
from icckd_mm.functional.distill.pairs import at_common_size
from icckd_mm.functional.tensor.number_checks import check_count, check_positive
from icckd_mm.functional.tensor.numerics import raised
from icckd_mm.registry import MODELS


@MODELS.register_module()
class VIDLoss(FeatureLoss):
    r"""Predict the teacher's map of one stage: :func:`~icckd_mm.functional.variational_information_loss`.

    The prediction :math:`m` is three 1x1 convolutions with ReLU between, the variance of a channel
    :math:`v_c = \log(1 + e^{a_c}) + \epsilon`. All are trained with the student. A larger map is averaged to the size of the
    smaller first.

    Args:
        student_channels: Width of the student's map.
        teacher_channels: Width of the teacher's map.
        initial_variance: :math:`v` at the start, above ``eps``. Defaults to 5.0.
        eps: :math:`\epsilon > 0`, below all variances. Defaults to 1e-5.
        loss_weight: At least 0. Defaults to 1.0, as in the benchmark.

    Raises:
        ValueError: If an argument is out of range.

    Source: Ahn et al. 2019, arXiv 1904.05835, Eq. 5-6, with the layers of the benchmark's code. mdistiller's code leaves
    :math:`a` out of the optimizer, so that its variances stay 5.
    """

    def __init__(
        self,
        student_channels: int,
        teacher_channels: int,
        initial_variance: float = 5.0,
        eps: float = 1e-5,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__(loss_weight)
        check_count('student_channels', student_channels)
        check_count('teacher_channels', teacher_channels)
        check_positive('eps', eps)
        check_positive('initial_variance - eps', initial_variance - eps)
        self.eps, self.student_channels = eps, student_channels
        self.regressor = nn.Sequential(
            nn.Conv2d(student_channels, teacher_channels, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(teacher_channels, teacher_channels, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(teacher_channels, teacher_channels, 1, bias=False),
        )
        start = initial_variance - eps
        start += math.log(-math.expm1(-start))  # log(e^v - 1), without an overflow
        self.scales = nn.Parameter(torch.full((teacher_channels,), start))

    def variances(self) -> Tensor:
        """Variance of each channel of the teacher, ``(C,)``."""
        return F.softplus(raised(self.scales)) + self.eps

    def compare(self, student: Tensor, teacher: Tensor) -> Tensor:
        """The loss without its weight."""
        if student.size(1) != self.student_channels:
            raise ValueError(f'VIDLoss has student_channels={self.student_channels}, got a map of shape {tuple(student.shape)}')
        student, teacher = at_common_size(student, teacher)
        return variational_information_loss(self.regressor(student), teacher, self.variances())
