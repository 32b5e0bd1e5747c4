"""Wide ResNets for 32x32 images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from icckd_mm.registry import MODELS

from .base import KAIMING, CIFARBackbone


class PreActBlock(nn.Module):
    """Batch norm and ReLU before each of two 3x3 convolutions, and a short cut.

    Where the number of channels changes, the short cut is a 1x1 convolution after the first ReLU.

    Args:
        inputs: Input channels.
        outputs: Output channels.
        stride: Stride of the first convolution.
        dropout: Probability of a dropout before the second convolution.
    """

    def __init__(self, inputs: int, outputs: int, stride: int, dropout: float) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.relu1 = nn.ReLU()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.relu2 = nn.ReLU()
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.downsample = None if inputs == outputs else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(B, inputs, h, w)`` to ``(B, outputs, h / stride, w / stride)``."""
        active = self.relu1(self.bn1(x))
        out = self.conv2(self.dropout(self.relu2(self.bn2(self.conv1(active)))))
        return out + (x if self.downsample is None else self.downsample(active))


@MODELS.register_module()
class CIFARWideResNet(CIFARBackbone):
    """WRN-depth-factor: three stages of pre-activation blocks, 16, 32 and 64 channels times the factor.

    A stage ends in a sum without ReLU; the last one is followed by batch norm and ReLU, so that what it returns can be pooled.

    Pre-activations: the sums pass the batch norm that comes next, ``layer2.0.bn1``, ``layer3.0.bn1`` and ``bn1``; see
    :attr:`preact`. The bare sums are the outputs of ``layer1``, ``layer2`` and ``layer3``.

    Args:
        depth: ``6 n + 4``: 10, 16, 22, 28, 34, 40, ...
        widen_factor: Factor of the width. Defaults to 1.
        dropout: Probability of the dropout inside the blocks, below 1. Defaults to 0.0.
        out_indices: Stages to return, from 0. Defaults to None, the last one.
        frozen_stages: Stages to freeze: -1 none, 0 the stem, ``i`` the stem and the first ``i``. Defaults to -1.
        norm_eval: Whether batch norm keeps its running statistics in training. Defaults to False.
        init_cfg: Defaults to the benchmark's Kaiming initialisation.

    Raises:
        TypeError: If ``out_indices`` is not a tuple or list.
        ValueError: If depth, factor, probability or a stage is not among the valid ones.

    Source: Zagoruyko and Komodakis 2016, arXiv 1605.07146.

    Example:
        >>> import torch
        >>> CIFARWideResNet(16, 2)(torch.rand(1, 3, 32, 32))[0].shape
        torch.Size([1, 128, 8, 8])
    """

    def __init__(
        self,
        depth: int,
        widen_factor: int = 1,
        dropout: float = 0.0,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = KAIMING,
    ) -> None:
        if not isinstance(depth, int) or depth < 10 or depth % 6 != 4:
            raise ValueError(f'depth={depth!r} must be 6 n + 4: 10, 16, 22, 28, 34, 40, ...')
        if not isinstance(widen_factor, int) or widen_factor < 1:
            raise ValueError(f'widen_factor={widen_factor!r} must be a positive integer: 1, 2, 4, 8, 10, ...')
        if not 0 <= dropout < 1:
            raise ValueError(f'dropout={dropout!r} must be a probability in [0, 1)')
        groups = [('conv1',), ('layer1',), ('layer2',), ('layer3', 'bn1')]
        super().__init__(groups, ('layer2.0.bn1', 'layer3.0.bn1', 'bn1'), out_indices, frozen_stages, norm_eval, init_cfg)
        channels = 16
        self.conv1 = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        for stage, width, stride in zip(('layer1', 'layer2', 'layer3'), (16, 32, 64), (1, 2, 2)):
            outputs = width * widen_factor
            first = PreActBlock(channels, outputs, stride, dropout)
            rest = [PreActBlock(outputs, outputs, 1, dropout) for _ in range((depth - 4) // 6 - 1)]
            self.add_module(stage, nn.Sequential(first, *rest))
            channels = outputs
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        self._freeze_stages()

    def stem(self, x: Tensor) -> Tensor:
        """Map ``(B, 3, H, W)`` to ``(B, 16, H, W)``."""
        return self.conv1(x)

    def tail(self, x: Tensor) -> Tensor:
        """The batch norm and ReLU that close a pre-activation network."""
        return self.relu(self.bn1(x))
