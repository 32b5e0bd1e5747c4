"""VGGs with batch norm for 32x32 images."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from icckd_mm.registry import MODELS

from .base import KAIMING, CIFARBackbone

CONVS = {8: (1, 1, 1, 1, 1), 11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)


def vgg_stage(inputs: int, width: int, convs: int, pool: bool) -> nn.Sequential:
    """``convs`` times convolution, batch norm and ReLU, after a 2x2 max pooling if ``pool``."""
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    if pool:
        layers['pool'] = nn.MaxPool2d(2)
    for index in range(1, convs + 1):
        layers[f'conv{index}'] = nn.Conv2d(inputs, width, 3, padding=1)
        layers[f'bn{index}'] = nn.BatchNorm2d(width)
        layers[f'relu{index}'] = nn.ReLU()
        inputs = width
    return nn.Sequential(layers)


@MODELS.register_module()
class CIFARVGG(CIFARBackbone):
    """VGG of five stages, 64-128-256-512-512 channels wide, to be followed by average pooling and one linear layer.

    Pre-activations: ``layer{i}.bn{last}``, the last batch norm of a stage; see :attr:`preact`. There is no stem, so
    ``frozen_stages=0`` freezes nothing.

    Args:
        depth: 8, 11, 13, 16 or 19.
        pools: Number of max poolings, one between two stages, from the first on; at most 4. The benchmark has
            3 for 32x32 images and 4 for 64x64 images. Defaults to 3.
        out_indices: Stages to return, from 0. Defaults to None, the last one.
        frozen_stages: Stages to freeze: -1 or 0 none, ``i`` the first ``i``. Defaults to -1.
        norm_eval: Whether batch norm keeps its running statistics in training. Defaults to False.
        init_cfg: Defaults to the benchmark's Kaiming initialisation.

    Raises:
        TypeError: If ``out_indices`` is not a tuple or list.
        ValueError: If depth, number of poolings or a stage is not among the valid ones.

    Source: Simonyan and Zisserman 2015, arXiv 1409.1556, configurations A, B, D and E, and a shorter one, in the form of the
    benchmark (Tian et al. 2020, arXiv 1910.10699).

    Example:
        >>> import torch
        >>> CIFARVGG(8)(torch.rand(1, 3, 32, 32))[0].shape
        torch.Size([1, 512, 4, 4])
    """

    distilled_stages = ('layer2', 'layer3', 'layer4', 'layer5')  # the benchmark's; the last two share a resolution

    def __init__(
        self,
        depth: int,
        pools: int = 3,
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = KAIMING,
    ) -> None:
        if depth not in CONVS:
            raise ValueError(f'depth={depth!r} must be one of {sorted(CONVS)}')
        if pools not in range(5):
            raise ValueError(f'pools={pools!r} must lie between 0 and 4; 3 for 32x32 images, 4 for 64x64')
        stages = [f'layer{index}' for index in range(1, 6)]
        preact = [f'{stage}.bn{convs}' for stage, convs in zip(stages, CONVS[depth])]
        super().__init__([(), *zip(stages)], preact, out_indices, frozen_stages, norm_eval, init_cfg)
        channels = 3
        for index, (stage, width, convs) in enumerate(zip(stages, WIDTHS, CONVS[depth])):
            self.add_module(stage, vgg_stage(channels, width, convs, pool=0 < index <= pools))
            channels = width
        self._freeze_stages()

    def stem(self, x: Tensor) -> Tensor:
        """The images themselves."""
        return x
