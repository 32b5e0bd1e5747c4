"""Residual blocks whose last ReLU has a recordable input."""

from __future__ import annotations

from torch import Tensor, nn


def projection(inputs: int, outputs: int, stride: int) -> nn.Sequential | None:
    """A 1x1 convolution with batch norm for the short cut, or None where the shapes agree already."""
    if stride == 1 and inputs == outputs:
        return None
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a short cut.

    Args:
        inputs: Input channels.
        width: Output channels.
        stride: Stride of the first convolution.

    Source: He et al. 2016, arXiv 1512.03385, Fig. 5 left.
    """

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = projection(inputs, width, stride)
        self.preact = nn.Identity()  # named, to record the sum
        self.relu2 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, h, w)`` to ``(B, width, h / stride, w / stride)``."""
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu2(self.preact(out + identity))


class Bottleneck(nn.Module):
    """A 3x3 convolution between two 1x1 convolutions, and a short cut.

    Args:
        inputs: Input channels.
        width: Channels of the 3x3 convolution; the output has four times as many.
        stride: Stride of the 3x3 convolution.

    Source: He et al. 2016, arXiv 1512.03385, Fig. 5 right.
    """

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        outputs = width * self.expansion
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu2 = nn.ReLU()
        self.conv3 = nn.Conv2d(width, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.downsample = projection(inputs, outputs, stride)
        self.preact = nn.Identity()  # named, to record the sum
        self.relu3 = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, h, w)`` to ``(B, 4 * width, h / stride, w / stride)``."""
        out = self.relu1(self.bn1(self.conv1(x)))
        out = self.relu2(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(out))
        identity = x if self.downsample is None else self.downsample(x)
        return self.relu3(self.preact(out + identity))
