"""MobileNetV2 for 32x32 images."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from icckd_mm.registry import MODELS

from .base import KAIMING, CIFARBackbone

# Expansion, channels at full width, blocks, stride of the first block.
STAGES = ((1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


class InvertedResidual(nn.Module):
    """A depthwise 3x3 convolution on expanded channels, and a short cut where the shapes agree; no ReLU at its end.

    Args:
        inputs: Input channels.
        outputs: Output channels.
        stride: Stride of the depthwise convolution.
        expansion: How many times ``inputs`` the depthwise convolution has.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.conv1 = nn.Conv2d(inputs, hidden, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(hidden, hidden, 3, stride, padding=1, groups=hidden, bias=False)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(hidden, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, h, w)`` to ``(B, outputs, h / stride, w / stride)``."""
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        return x + out if self.residual else out


@MODELS.register_module()
class CIFARMobileNetV2(CIFARBackbone):
    """MobileNetV2 with the strides of the benchmark: a 32x32 image gives a 2x2 map.

    It differs from mmpretrain's in the second stage's stride of 1, ReLU instead of ReLU6, a first block that keeps its
    expanding convolution and channels that are truncated to integers, not rounded to multiples of 8. The eighth stage is the
    last 1x1 convolution.

    Pre-activations: ``layer{i}.{last block}.bn3`` and ``conv2.bn``; see :attr:`preact`. The first seven stages end without
    ReLU.

    Args:
        widen_factor: Factor of the width. Defaults to 0.5, the benchmark's "MobileNetV2".
        out_indices: Stages to return, from 0 to 7. Defaults to None, the last one.
        frozen_stages: Stages to freeze: -1 none, 0 the stem, ``i`` the stem and the first ``i``. Defaults to -1.
        norm_eval: Whether batch norm keeps its running statistics in training. Defaults to False.
        init_cfg: Defaults to the benchmark's Kaiming initialisation.

    Raises:
        TypeError: If ``out_indices`` is not a tuple or list.
        ValueError: If the factor leaves a stage without channels, or if a stage does not exist.

    Source: Sandler et al. 2018, arXiv 1801.04381, in the form of the benchmark (Tian et al. 2020, arXiv 1910.10699).

    Example:
        >>> import torch
        >>> CIFARMobileNetV2()(torch.rand(1, 3, 32, 32))[0].shape
        torch.Size([1, 1280, 2, 2])
    """

    def __init__(
        self,
        widen_factor: float = 0.5,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = KAIMING,
    ) -> None:
        if widen_factor * STAGES[0][1] < 1:
            raise ValueError(f'widen_factor={widen_factor!r} must be at least 1/16; 0.5 and 1.0 are usual')
        stages = [f'layer{index}' for index in range(1, 8)]
        preact = [f'{stage}.{blocks - 1}.bn3' for stage, (_, _, blocks, _) in zip(stages, STAGES)]
        groups = [('conv1',), *zip(stages), ('conv2',)]
        super().__init__(groups, [*preact, 'conv2.bn'], out_indices, frozen_stages, norm_eval, init_cfg)
        channels = int(32 * widen_factor)
        self.conv1 = self._conv_bn_relu(3, channels, 3, stride=2)
        for stage, (expansion, width, blocks, stride) in zip(stages, STAGES):
            outputs = int(width * widen_factor)
            first = InvertedResidual(channels, outputs, stride, expansion)
            rest = [InvertedResidual(outputs, outputs, 1, expansion) for _ in range(blocks - 1)]
            self.add_module(stage, nn.Sequential(first, *rest))
            channels = outputs
        self.conv2 = self._conv_bn_relu(channels, int(1280 * max(widen_factor, 1.0)), 1)
        self._freeze_stages()

    @staticmethod
    def _conv_bn_relu(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        return nn.Sequential(OrderedDict(conv=conv, bn=nn.BatchNorm2d(outputs), relu=nn.ReLU()))

    def stem(self, x: Tensor) -> Tensor:
        """Map ``(B, 3, H, W)`` to ``(B, 32 * widen_factor, H / 2, W / 2)``."""
        return self.conv1(x)
