"""A projector that lets a student use its teacher's classifier."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import MODELS


@MODELS.register_module()
class SimKDNeck(BaseModule):
    r"""Projector to the teacher's width, then global average pooling; the neck of a student of SimKD, kept at inference.

    With :math:`h = C_T / f`: 1x1 convolution to :math:`h`, 3x3, 1x1 to :math:`C_T`, each with batch norm and ReLU and without
    bias. They add :math:`C_S h + 9h^2 + h C_T + 4h + 2C_T` parameters to the student.

    Args:
        in_channels: Width :math:`C_S` of the student's last map.
        teacher_channels: Width :math:`C_T` of the teacher's.
        factor: :math:`f`, a divisor of ``teacher_channels``; a larger one makes a smaller projector.
        max_side: Side of the teacher's last map, where the student's is larger: it is averaged to this side first. None
            leaves maps as they are.

    Raises:
        ValueError: If an argument is out of range.

    Source: Chen et al. 2022, arXiv 2203.14001, Sec. 3.2 and its code.
    """

    def __init__(self, in_channels: int, teacher_channels: int, factor: int = 2, max_side: int | None = None) -> None:
        super().__init__()
        for name, value in (('in_channels', in_channels), ('teacher_channels', teacher_channels), ('factor', factor)):
            check_count(name, value)
        if max_side is not None:
            check_count('max_side', max_side)
        if teacher_channels % factor:
            raise ValueError(f'factor must divide teacher_channels={teacher_channels}, got {factor}')
        hidden = teacher_channels // factor
        self.teacher_channels, self.max_side = teacher_channels, max_side
        self.projector = nn.Sequential(
            *_layer(in_channels, hidden, 1), *_layer(hidden, hidden, 3), *_layer(hidden, teacher_channels, 1)
        )

    def forward(self, inputs: Tensor | Sequence[Tensor]) -> tuple[Tensor]:
        """Pooled features for the teacher's classifier.

        Args:
            inputs: Map of the backbone ``(B, C_S, H, W)``, or several, of which the last counts.

        Returns:
            ``(B, C_T)``, in a tuple as mmpretrain's heads expect it.
        """
        maps = inputs if isinstance(inputs, Tensor) else inputs[-1]
        if self.max_side is not None and max(maps.shape[2:]) > self.max_side:
            maps = F.adaptive_avg_pool2d(maps, self.max_side)
        return (self.projector(maps).mean(dim=(2, 3)),)


def _layer(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]
