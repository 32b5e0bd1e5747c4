"""One small network of each family, with what is known of its stages."""

from dataclasses import dataclass

import pytest
import torch

from icckd_mm.models import backbones


@dataclass(frozen=True)
class Case:
    type: str
    args: dict
    channels: tuple
    sizes: tuple

    def build(self, **kwargs):
        torch.manual_seed(0)
        return getattr(backbones, self.type)(**self.args, **kwargs)

    @property
    def stages(self):
        return len(self.channels)


CASES = {
    'resnet8': Case('CIFARResNet', {'depth': 8}, (16, 32, 64), (32, 16, 8)),
    'resnet8x4': Case('CIFARResNet', {'depth': 8, 'widths': (32, 64, 128, 256)}, (64, 128, 256), (32, 16, 8)),
    'resnet50': Case('CIFARResNet', {'depth': 50}, (256, 512, 1024, 2048), (32, 16, 8, 4)),
    'wrn_16_2': Case('CIFARWideResNet', {'depth': 16, 'widen_factor': 2}, (32, 64, 128), (32, 16, 8)),
    'vgg11': Case('CIFARVGG', {'depth': 11}, (64, 128, 256, 512, 512), (32, 16, 8, 4, 4)),
    'mobilenet_v2': Case('CIFARMobileNetV2', {}, (8, 12, 16, 32, 48, 80, 160, 1280), (16, 16, 8, 4, 4, 2, 2, 2)),
    'mobilenet_v1': Case('MobileNetV1', {}, (128, 256, 512, 1024), (8, 4, 2, 1)),
    'shufflenet_v1': Case('CIFARShuffleNetV1', {}, (240, 480, 960), (16, 8, 4)),
    'shufflenet_v2': Case('CIFARShuffleNetV2', {}, (116, 232, 464, 1024), (16, 8, 4, 4)),
}


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


@pytest.fixture
def images():
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(1))
