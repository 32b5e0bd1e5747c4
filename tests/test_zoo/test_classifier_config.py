"""Configs by the names of other projects."""

import pytest
import torch
from mmengine import Config
from mmpretrain.registry import MODELS

from icckd_mm.zoo.architectures import classifier_config

from .peer_networks import NETWORKS


@pytest.mark.parametrize('arch', NETWORKS)
def test_config_is_plain_and_builds(arch):
    config = classifier_config(arch.lower(), 11)
    assert config['_scope_'] == 'mmpretrain'
    assert config['backbone']['type'].startswith('icckd_mm.')
    reread = Config.fromstring(Config({'model': config}).pretty_text, '.py').model
    assert reread.to_dict() == config
    with torch.device('meta'):
        assert MODELS.build(config).head.fc.out_features == 11


def test_source_decides_where_two_have_the_name():
    assert classifier_config('resnet50', 10)['backbone']['type'] == 'icckd_mm.CIFARResNet'
    assert classifier_config('resnet50', 10, 'mdistiller')['backbone']['type'] == 'icckd_mm.CIFARResNet'
    assert classifier_config('resnet50', 10, 'torchvision')['backbone']['type'] == 'mmpretrain.ResNet'
    assert classifier_config('vgg11', 10, 'torchvision')['backbone']['type'] == 'mmpretrain.VGG'
    assert classifier_config('resnet18', 10)['backbone']['type'] == 'mmpretrain.ResNet'


def test_two_configs_share_nothing():
    first = classifier_config('resnet8x4', 10)
    first['backbone']['widths'].append(1)
    assert classifier_config('resnet8x4', 10)['backbone']['widths'] == [32, 64, 128, 256]


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (('resnet9', 10), "arch='resnet9' must be one of resnet8"),
        (('resnet8', 0), 'num_classes=0 must be positive'),
        (('resnet8', 10, 'torchvision'), "arch='resnet8' must be one of resnet18"),
        (('resnet8', 10, 'hub'), "source='hub' must be one of auto"),
    ],
)
def test_wrong_arguments(args, message):
    with pytest.raises(ValueError, match=message):
        classifier_config(*args)


@pytest.mark.parametrize(
    ('arch', 'bound', 'zero'), [('resnet8', 64**-0.5, False), ('wrn_16_1', 64**-0.5, True), ('vgg8', None, True)]
)
def test_last_layer_starts_as_in_the_benchmark(arch, bound, zero):
    torch.manual_seed(0)
    model = MODELS.build(classifier_config(arch, 100))
    model.init_weights()
    weight, bias = model.head.fc.weight, model.head.fc.bias
    assert bias.eq(0).all() == zero
    if bound:  # uniform, as PyTorch starts a linear layer
        assert weight.abs().max().item() == pytest.approx(bound, rel=0.01)
    else:
        assert weight.std().item() == pytest.approx(0.01, rel=0.05)
