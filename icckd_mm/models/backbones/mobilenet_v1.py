"""MobileNetV1 for ImageNet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from icckd_mm.registry import MODELS

from .base import KAIMING, CIFARBackbone

STEM = 32
# Output channels and stride of each block; a stage ends where the next block halves the resolution.
STAGES = (
    ((64, 1), (128, 2), (128, 1)),
    ((256, 2), (256, 1)),
    ((512, 2), *((512, 1),) * 5),
    ((1024, 2), (1024, 1)),
)


class SeparableConv(nn.Module):
    """A depthwise 3x3 and a 1x1 convolution, each with batch norm and ReLU.

    Args:
        inputs: Input channels.
        outputs: Output channels.
        stride: Stride of the depthwise convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, inputs, 3, stride, padding=1, groups=inputs, bias=False)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, h, w)`` to ``(B, outputs, h / stride, w / stride)``."""
        x = self.relu1(self.bn1(self.conv1(x)))
        return self.relu2(self.bn2(self.conv2(x)))


@MODELS.register_module()
class MobileNetV1(CIFARBackbone):
    """MobileNetV1 at full width, the student of ResNet-50 on ImageNet that the literature distils; mmpretrain has none.

    With a linear layer for 1,000 classes it has 4,231,976 parameters.

    Pre-activations: ``layer{i}.{last block}.bn2``; see :attr:`preact`.

    Args:
        out_indices: Stages to return, from 0 to 3. Defaults to None, the last one.
        frozen_stages: Stages to freeze: -1 none, 0 the stem, ``i`` the stem and the first ``i``. Defaults to -1.
        norm_eval: Whether batch norm keeps its running statistics in training. Defaults to False.
        init_cfg: Defaults to Kaiming initialisation of the convolutions, our choice.

    Raises:
        TypeError: If ``out_indices`` is not a tuple or list.
        ValueError: If a stage does not exist.

    Source: Howard et al. 2017, arXiv 1704.04861, Table 1; stages as in mdistiller.

    Example:
        >>> import torch
        >>> MobileNetV1()(torch.rand(1, 3, 224, 224))[0].shape
        torch.Size([1, 1024, 7, 7])
    """

    distilled_stages = ('layer1', 'layer2', 'layer3', 'layer4')  # mdistiller's

    def __init__(
        self,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = KAIMING,
    ) -> None:
        stages = [f'layer{index}' for index in range(1, 5)]
        preact = [f'{stage}.{len(blocks) - 1}.bn2' for stage, blocks in zip(stages, STAGES)]
        super().__init__([('conv1', 'bn1'), *zip(stages)], preact, out_indices, frozen_stages, norm_eval, init_cfg)
        channels = STEM
        self.conv1 = nn.Conv2d(3, channels, 3, stride=2, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        for stage, blocks in zip(stages, STAGES):
            layers = []
            for outputs, stride in blocks:
                layers.append(SeparableConv(channels, outputs, stride))
                channels = outputs
            self.add_module(stage, nn.Sequential(*layers))
        self._freeze_stages()

    def stem(self, x: Tensor) -> Tensor:
        """Map ``(B, 3, H, W)`` to ``(B, 32, H / 2, W / 2)``."""
        return self.relu(self.bn1(self.conv1(x)))
