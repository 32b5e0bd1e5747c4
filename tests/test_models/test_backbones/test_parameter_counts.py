"""The classifiers have as many parameters as the benchmark's."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmpretrain.registry import MODELS

from icckd_mm.zoo.architectures import classifier_config

PUBLISHED = {
    'resnet8': 83_892,
    'resnet20': 278_324,
    'resnet32': 472_756,
    'resnet56': 861_620,
    'resnet110': 1_736_564,
    'resnet8x4': 1_233_540,
    'resnet32x4': 7_433_860,
    'ResNet50': 23_705_252,
    'wrn_16_2': 703_284,
    'wrn_40_1': 569_780,
    'wrn_40_2': 2_255_156,
    'vgg8': 3_965_028,
    'vgg13': 9_462_180,
    'MobileNetV2': 812_836,
    'ShuffleV1': 949_258,
    'ShuffleV2': 1_355_528,
}


@pytest.mark.parametrize('arch', PUBLISHED)
def test_parameters_to_the_digit(arch):
    with torch.device('meta'):
        model = MODELS.build(classifier_config(arch, 100))
    assert sum(p.numel() for p in model.parameters()) == PUBLISHED[arch]
    assert [name for name, _ in model.named_children()] == ['data_preprocessor', 'backbone', 'neck', 'head']


def test_mobilenetv1_has_the_parameters_of_the_literature():
    cfg = Config.fromfile(Path(__file__).resolve().parents[3] / 'configs/_base_/models/in1k/mobilenetv1.py')
    with torch.device('meta'):
        model = MODELS.build(cfg.mobilenetv1)
    assert sum(p.numel() for p in model.parameters()) == 4_231_976
