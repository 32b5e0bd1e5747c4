"""The two units of ShuffleNetV2."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class ShuffleUnitV2(nn.Module):
    """Half of the channels pass, the other half goes through a depthwise 3x3 convolution; both are shuffled.

    Args:
        channels: Input and output channels; inputs must not be negative.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2d(half, half, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(half)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(half, half, 3, padding=1, groups=half, bias=False)
        self.bn2 = nn.BatchNorm2d(half)
        self.conv3 = nn.Conv2d(half, half, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(half)
        self.preact = nn.Identity()  # named, to record the input of the last ReLU
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, channels, h, w)`` to the same shape."""
        passed, x = x.chunk(2, dim=1)
        x = self.relu1(self.bn1(self.conv1(x)))
        x = self.bn3(self.conv3(self.bn2(self.conv2(x))))
        # The half that passes comes from a ReLU and is not changed by another one.
        return F.channel_shuffle(self.relu3(self.preact(torch.cat([passed, x], dim=1))), 2)


class DownUnitV2(nn.Module):
    """Halves the map in two branches, each with half of the output channels; both are shuffled.

    Args:
        inputs: Input channels.
        outputs: Output channels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        half = outputs // 2
        self.left = nn.Sequential(
            nn.Conv2d(inputs, inputs, 3, 2, padding=1, groups=inputs, bias=False),
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, half, 1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(),
        )
        self.right = nn.Sequential(
            nn.Conv2d(inputs, half, 1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(),
            nn.Conv2d(half, half, 3, 2, padding=1, groups=half, bias=False),
            nn.BatchNorm2d(half),
            nn.Conv2d(half, half, 1, bias=False),
            nn.BatchNorm2d(half),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, h, w)`` to ``(B, outputs, h / 2, w / 2)``."""
        return F.channel_shuffle(torch.cat([self.left(x), self.right(x)], dim=1), 2)
