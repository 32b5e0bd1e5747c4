"""ShuffleNetV2 for 32x32 images."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from icckd_mm.registry import MODELS

from .base import CIFARBackbone
from .shuffle_units_v2 import DownUnitV2, ShuffleUnitV2

STEM = 24
LAST = 1024
STAGES = ((116, 3), (232, 7), (464, 3))  # channels, units after the one that halves the map


@MODELS.register_module()
class CIFARShuffleNetV2(CIFARBackbone):
    """ShuffleNetV2 1x with a stem of a 1x1 convolution and no pooling; the fourth stage is the last 1x1 convolution.

    Pre-activations: ``layer{i}.{last unit}.preact``, of which the first half of the channels has passed the unit unchanged, and
    ``conv2.bn``; see :attr:`preact`.

    Args:
        out_indices: Stages to return, from 0 to 3. Defaults to None, the last one.
        frozen_stages: Stages to freeze: -1 none, 0 the stem, ``i`` the stem and the first ``i``. Defaults to -1.
        norm_eval: Whether batch norm keeps its running statistics in training. Defaults to False.
        init_cfg: Defaults to None, PyTorch's own initialisation, as in the benchmark.

    Raises:
        TypeError: If ``out_indices`` is not a tuple or list.
        ValueError: If a stage does not exist.

    Source: Ma et al. 2018, arXiv 1807.11164, in the form of the benchmark (Tian et al. 2020, arXiv 1910.10699).

    Example:
        >>> import torch
        >>> CIFARShuffleNetV2()(torch.rand(1, 3, 32, 32))[0].shape
        torch.Size([1, 1024, 4, 4])
    """

    def __init__(
        self,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = None,
    ) -> None:
        stages = ('layer1', 'layer2', 'layer3')
        preact = [f'{stage}.{units}.preact' for stage, (_, units) in zip(stages, STAGES)]
        groups = [('conv1', 'bn1'), *zip(stages), ('conv2',)]
        super().__init__(groups, [*preact, 'conv2.bn'], out_indices, frozen_stages, norm_eval, init_cfg)
        channels = STEM
        self.conv1 = nn.Conv2d(3, channels, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU()
        for stage, (width, units) in zip(stages, STAGES):
            self.add_module(stage, nn.Sequential(DownUnitV2(channels, width), *(ShuffleUnitV2(width) for _ in range(units))))
            channels = width
        conv2 = OrderedDict(conv=nn.Conv2d(channels, LAST, 1, bias=False), bn=nn.BatchNorm2d(LAST), relu=nn.ReLU())
        self.conv2 = nn.Sequential(conv2)
        self._freeze_stages()

    def stem(self, x: Tensor) -> Tensor:
        """Map ``(B, 3, H, W)`` to ``(B, 24, H, W)``."""
        return self.relu(self.bn1(self.conv1(x)))
