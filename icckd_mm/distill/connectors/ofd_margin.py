"""The margin ReLU of overhaul distillation."""

from __future__ import annotations

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from icckd_mm.functional.tensor.checks import check_map
from icckd_mm.registry import MODELS


@MODELS.register_module()
class OFDMarginConnector(BaseModule):
    r"""Raises the teacher's responses to a margin: the mean of a channel where it is negative.

    With :math:`\beta` and :math:`\gamma` the bias and weight of a batch norm, a channel is taken as
    :math:`N(\beta, \gamma^2)`. mmrazor's connector needs a recorder on that very batch norm. Here ``norm`` names it, so that
    the sum of a residual block can be compared with the margin of its last batch norm, as published.
    :class:`icckd_mm.SafeTeacherDistill` reads it once the teacher has its weights.

    Args:
        norm: Name of the batch norm in the teacher, such as ``'backbone.layer1.2.bn2'``.

    Source: Heo et al. 2019, arXiv 1904.01866, Eq. 4.
    """

    margin: Tensor

    def __init__(self, norm: str) -> None:
        super().__init__()
        self.norm = norm
        self.register_buffer('margin', torch.empty(0), persistent=False)  # follows from the teacher

    def read_teacher(self, teacher: nn.Module) -> None:
        """Take the margins from the teacher's batch norm.

        Args:
            teacher: With its trained weights.

        Raises:
            ValueError: If ``norm`` is not the name of a batch norm with weights.
        """
        module = dict(teacher.named_modules()).get(self.norm)
        if getattr(module, 'weight', None) is None or not isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise ValueError(f'OFDMarginConnector: norm={self.norm!r} must name a batch norm of the teacher')
        self.margin = negative_mean(module.bias.detach(), module.weight.detach().abs())[:, None, None]

    def forward(self, x: Tensor) -> Tensor:
        """Responses of at least the margin, without gradient.

        Args:
            x: Maps of the teacher ``(B, C, H, W)``.

        Returns:
            The same shape.

        Raises:
            TypeError: If the maps are not floating-point.
            ValueError: If they are not maps, or the margins have not been read.
        """
        check_map('x', x)
        if not self.margin.numel():
            raise ValueError('OFDMarginConnector reads its margins from the teacher of icckd_mm.SafeTeacherDistill; use that')
        return torch.maximum(x.detach(), self.margin.to(x))


def negative_mean(mean: Tensor, std: Tensor) -> Tensor:
    """Mean of the negative values of ``N(mean, std^2)``; ``-3 std`` where fewer than one in a thousand is negative."""
    ratio = mean / std
    share = torch.special.ndtr(-ratio)
    density = torch.exp(-ratio.square() / 2) / (2 * torch.pi) ** 0.5
    return torch.where(share > 0.001, mean - std * density / share, -3 * std)
