"""Curriculum temperature."""

from __future__ import annotations

import torch
from mmengine.logging import MessageHub
from torch import Tensor, nn

from icckd_mm.functional import curriculum_divergence
from icckd_mm.functional.distill.logits.curriculum import curriculum_temperature
from icckd_mm.functional.tensor.number_checks import check_count, check_weight
from icckd_mm.models.losses.category_center_preview import current_epoch
from icckd_mm.registry import MODELS

LOGGED = 'train/ctkd_tau'


@MODELS.register_module()
class CurriculumKLDivergence(nn.Module):
    r"""CTKD: :class:`icckd_mm.KLDivergence` at a learnt temperature, which moves against the student.

    :math:`\tau = 1 + 20\,\mathrm{sigmoid}(\theta)`, with one :math:`\theta` in the student's optimiser, weight decay included.
    Its gradient is multiplied by a factor that goes from 0 to -1 over the first epochs. See
    :func:`icckd_mm.functional.curriculum_divergence`. The log shows ``ctkd_tau``, as it was at the start of the epoch.

    Args:
        ramp: The epoch from which the gradient is reversed in full. Defaults to 10, published for CIFAR-100; 5 for ImageNet.
        loss_weight: At least 0. Defaults to 1.0; published are 0.9 beside a cross-entropy of 0.1, and 1 beside 1 on ImageNet.

    Raises:
        ValueError: If an argument is out of range.

    Source: Li et al., AAAI 2023, arXiv 2211.16231, in its global form.
    """

    def __init__(self, ramp: int = 10, loss_weight: float = 1.0) -> None:
        super().__init__()
        check_count('ramp', ramp)
        check_weight('loss_weight', loss_weight)
        self.ramp, self.loss_weight = ramp, loss_weight
        self.theta = nn.Parameter(torch.ones(()))
        self.logged = 0  # the epoch whose temperature was logged last; reading it waits for the device

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the logits at the current temperature.

        Args:
            preds_S: Logits of the student ``(B, C)``.
            preds_T: Logits of the teacher ``(B, C)``.

        Returns:
            A scalar.

        Raises:
            TypeError: If the logits are not floating-point.
            ValueError: If the shapes do not fit.
        """
        epoch = current_epoch()
        if epoch != self.logged:
            self.logged = epoch
            MessageHub.get_current_instance().update_scalar(LOGGED, curriculum_temperature(self.theta).item())
        return self.loss_weight * curriculum_divergence(preds_S, preds_T, self.theta, epoch=epoch, ramp=self.ramp)
