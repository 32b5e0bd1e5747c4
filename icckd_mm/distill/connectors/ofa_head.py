"""Classifiers of a student's stages, for distillation across architectures."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from icckd_mm.functional.tensor.checks import check_map
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import MODELS


@MODELS.register_module()
class OFAConvHead(BaseModule):
    """From the map of a stage to logits: separable convolutions of stride 2, global average pooling, a linear layer.

    A separable convolution is depthwise 3x3 of stride 2, 1x1, batch norm, ReLU, depthwise 3x3, 1x1, batch norm, ReLU. Each
    doubles the channels, the last one gives ``dim``. Without any, a 1x1 convolution gives ``dim``.

    Args:
        in_channels: Width of the map.
        downsamples: Number of separable convolutions, that of the stages that follow.
        dim: Width of the pooled features; the larger of student's and teacher's as published.
        num_classes: Number of classes.

    Raises:
        ValueError: If an argument is out of range.

    Source: Hao et al. 2023, arXiv 2310.19444, and its code for layers and initial weights. Its heads for transformers have
    transformer blocks; ours read tokens as a map.
    """

    def __init__(self, in_channels: int, downsamples: int, dim: int, num_classes: int) -> None:
        super().__init__()
        for name, value in (('in_channels', in_channels), ('dim', dim), ('num_classes', num_classes)):
            check_count(name, value)
        check_count('downsamples', downsamples, least=0)
        widths = [in_channels * 2**number for number in range(max(downsamples, 1))] + [dim]
        layers = [_separable(*pair) for pair in zip(widths, widths[1:])] if downsamples else [nn.Conv2d(in_channels, dim, 1)]
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(dim, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode='fan_out', nonlinearity='relu')
            elif isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)

    def forward(self, maps: Tensor) -> Tensor:
        """Logits ``(B, num_classes)``.

        Args:
            maps: ``(B, in_channels, H, W)``.

        Raises:
            TypeError: If the maps are not floating-point.
            ValueError: If they are not maps.
        """
        check_map('maps', maps)
        return self.classifier(self.layers(maps).mean(dim=(2, 3)))


def _separable(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*_depthwise(inputs, inputs, 2), *_depthwise(inputs, outputs, 1))


def _depthwise(inputs: int, outputs: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(inputs, inputs, 3, stride=stride, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    ]
