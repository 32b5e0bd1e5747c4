"""ResNets for 32x32 images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from icckd_mm.registry import MODELS

from .base import KAIMING, CIFARBackbone
from .resnet_blocks import BasicBlock, Bottleneck

# Depth: block, blocks per stage, channels of the stem and of each stage.
SETTINGS: dict[int, tuple[type[BasicBlock] | type[Bottleneck], tuple[int, ...], tuple[int, ...]]] = {
    **{depth: (BasicBlock, ((depth - 2) // 6,) * 3, (16, 16, 32, 64)) for depth in (8, 14, 20, 32, 44, 56, 110)},
    50: (Bottleneck, (3, 4, 6, 3), (64, 64, 128, 256, 512)),
}


@MODELS.register_module()
class CIFARResNet(CIFARBackbone):
    """ResNet whose stem keeps the resolution: a 3x3 convolution and no pooling.

    Depths 8, 14, 20, 32, 44, 56 and 110 have three stages of basic blocks, depth 50 has four of bottlenecks. The family "x4" of
    the benchmark (resnet8x4, resnet32x4) is ``widths=(32, 64, 128, 256)``.

    Pre-activations: ``layer{i}.{last block}.preact``, the sum before the last ReLU of a stage; see :attr:`preact`.

    Args:
        depth: 8, 14, 20, 32, 44, 50, 56 or 110.
        widths: Channels of the stem, then of the stages (for depth 50 of their 3x3 convolutions; the output
            has four times as many). Defaults to None: ``(16, 16, 32, 64)``, for depth 50 ``(64, 64, 128, 256, 512)``.
        out_indices: Stages to return, from 0. Defaults to None, the last one.
        frozen_stages: Stages to freeze: -1 none, 0 the stem, ``i`` the stem and the first ``i``. Defaults to -1.
        norm_eval: Whether batch norm keeps its running statistics in training. Defaults to False.
        init_cfg: Defaults to the benchmark's Kaiming initialisation.

    Raises:
        TypeError: If ``out_indices`` is not a tuple or list.
        ValueError: If depth, widths or a stage is not among the valid ones.

    Source: He et al. 2016, arXiv 1512.03385, section 4.2, with projections where the shape changes and the widths of the
    benchmark (Tian et al. 2020, arXiv 1910.10699).

    Example:
        >>> import torch
        >>> CIFARResNet(8, out_indices=(0, 2))(torch.rand(1, 3, 32, 32))[1].shape
        torch.Size([1, 64, 8, 8])
    """

    def __init__(
        self,
        depth: int,
        widths: Sequence[int] | None = None,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = KAIMING,
    ) -> None:
        if depth not in SETTINGS:
            raise ValueError(f'depth={depth!r} must be one of {sorted(SETTINGS)}')
        block, blocks, usual = SETTINGS[depth]
        widths = usual if widths is None else tuple(widths)
        if len(widths) != len(usual) or any(not isinstance(width, int) or width < 1 for width in widths):
            raise ValueError(f'widths={widths!r} must be {len(usual)} positive integers at depth {depth}, such as {usual}')
        stages = [f'layer{index}' for index in range(1, len(widths))]
        preact = [f'{stage}.{count - 1}.preact' for stage, count in zip(stages, blocks)]
        super().__init__([('conv1', 'bn1'), *zip(stages)], preact, out_indices, frozen_stages, norm_eval, init_cfg)
        channels, *widths = widths
        self.conv1 = nn.Conv2d(3, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        for stage, width, count in zip(stages, widths, blocks):
            layers = []
            for index in range(count):
                stride = 2 if index == 0 and stage != 'layer1' else 1
                layers.append(block(channels, width, stride))
                channels = width * block.expansion
            self.add_module(stage, nn.Sequential(*layers))
        self._freeze_stages()

    def stem(self, x: Tensor) -> Tensor:
        """Map ``(B, 3, H, W)`` to ``(B, widths[0], H, W)``."""
        return self.relu(self.bn1(self.conv1(x)))
