"""ShuffleNetV1 for 32x32 images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from icckd_mm.registry import MODELS

from .base import CIFARBackbone

GROUPS = 3
STEM = 24
STAGES = ((240, 4), (480, 8), (960, 4))  # channels, blocks


class ShuffleUnitV1(nn.Module):
    """Grouped 1x1 convolutions around a depthwise 3x3 convolution; a short cut is added (concatenated at stride 2).

    Args:
        inputs: Input channels.
        outputs: Output channels.
        stride: Stride of the depthwise convolution. At 2 the short cut is an average pooling whose channels are
            concatenated.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        branch = outputs if stride == 1 else outputs - inputs
        hidden = branch // 4
        self.groups = 1 if inputs == STEM else GROUPS  # the few channels of the stem are not grouped
        self.conv1 = nn.Conv2d(inputs, hidden, 1, groups=self.groups, bias=False)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(hidden, hidden, 3, stride, padding=1, groups=hidden, bias=False)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(hidden, branch, 1, groups=GROUPS, bias=False)
        self.bn3 = nn.BatchNorm2d(branch)
        self.downsample = None if stride == 1 else nn.AvgPool2d(3, stride, padding=1)
        self.preact = nn.Identity()  # named, to record the input of the last ReLU
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, h, w)`` to ``(B, outputs, h / stride, w / stride)``."""
        out = self.relu1(self.bn1(self.conv1(x)))
        if self.groups > 1:
            out = F.channel_shuffle(out, self.groups)
        out = self.relu2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        out = out + x if self.downsample is None else torch.cat([out, self.downsample(x)], dim=1)
        return self.relu3(self.preact(out))


@MODELS.register_module()
class CIFARShuffleNetV1(CIFARBackbone):
    """ShuffleNetV1 with three groups, stages 240-480-960 channels wide, and a stem of a 1x1 convolution.

    It differs from mmpretrain's in the stem and in a ReLU after the depthwise convolution.

    Pre-activations: ``layer{i}.{last block}.preact``; see :attr:`preact`.

    Args:
        out_indices: Stages to return, from 0. Defaults to None, the last one.
        frozen_stages: Stages to freeze: -1 none, 0 the stem, ``i`` the stem and the first ``i``. Defaults to -1.
        norm_eval: Whether batch norm keeps its running statistics in training. Defaults to False.
        init_cfg: Defaults to None, PyTorch's own initialisation, as in the benchmark.

    Raises:
        TypeError: If ``out_indices`` is not a tuple or list.
        ValueError: If a stage does not exist.

    Source: Zhang et al. 2018, arXiv 1707.01083, in the form of the benchmark (Tian et al. 2020, arXiv 1910.10699).

    Example:
        >>> import torch
        >>> CIFARShuffleNetV1()(torch.rand(1, 3, 32, 32))[0].shape
        torch.Size([1, 960, 4, 4])
    """

    def __init__(
        self,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = None,
    ) -> None:
        stages = ('layer1', 'layer2', 'layer3')
        preact = [f'{stage}.{blocks - 1}.preact' for stage, (_, blocks) in zip(stages, STAGES)]
        super().__init__([('conv1', 'bn1'), *zip(stages)], preact, out_indices, frozen_stages, norm_eval, init_cfg)
        channels = STEM
        self.conv1 = nn.Conv2d(3, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        for stage, (width, blocks) in zip(stages, STAGES):
            rest = [ShuffleUnitV1(width, width, stride=1) for _ in range(blocks - 1)]
            self.add_module(stage, nn.Sequential(ShuffleUnitV1(channels, width, stride=2), *rest))
            channels = width
        self._freeze_stages()

    def stem(self, x: Tensor) -> Tensor:
        """Map ``(B, 3, H, W)`` to ``(B, 24, H, W)``."""
        return self.relu(self.bn1(self.conv1(x)))
