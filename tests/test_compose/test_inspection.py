"""The layers that distillers compare, found by one batch."""

from pathlib import Path

import pytest
import torch
from mmengine import Config
from mmpretrain.registry import MODELS
from torch import nn

from icckd_mm.compose.inspection import inspect_network
from icckd_mm.compose.layers import Layer, Stage

MODEL_FILES = Path(__file__).parents[2] / 'configs/_base_/models'

RESIDUAL = [(f'layer{i}', f'layer{i}.{{last}}.preact', f'layer{i}.{{last}}.{{norm}}') for i in (1, 2, 3, 4)]


def residual(last, norm, stages=3):
    return [
        (stage, before.format(last=last), norm and name.format(last=last, norm=norm))
        for stage, before, name in RESIDUAL[:stages]
    ]


WIDE = [('layer1', 'layer2.0.bn1', 'layer2.0.bn1'), ('layer2', 'layer3.0.bn1', 'layer3.0.bn1'), ('layer3', 'bn1', 'bn1')]

# Stages, what lies before their ReLU and its norm; stem; width and side of the maps: section 0 of the benchmark's protocol.
BENCHMARK = {
    'resnet8': (residual(0, 'bn2'), 'relu', [(16, 32), (32, 16), (64, 8)], (64, 8)),
    'resnet8x4': (residual(0, 'bn2'), 'relu', [(64, 32), (128, 16), (256, 8)], (256, 8)),
    'wrn16-2': (WIDE, 'conv1', [(32, 32), (64, 16), (128, 8)], (128, 8)),
    'vgg8': (
        [(f'layer{i}', f'layer{i}.bn1', f'layer{i}.bn1') for i in (2, 3, 4, 5)],
        'layer1',
        [(128, 16), (256, 8), (512, 4), (512, 4)],
        (512, 4),
    ),
    'vgg13': (
        [(f'layer{i}', f'layer{i}.bn2', f'layer{i}.bn2') for i in (2, 3, 4, 5)],
        'layer1',
        [(128, 16), (256, 8), (512, 4), (512, 4)],
        (512, 4),
    ),
    'mobilenetv2': (
        [(f'layer{i}', None, None) for i in (2, 3, 5, 7)],
        'conv1',
        [(12, 16), (16, 8), (48, 4), (160, 2)],
        (1280, 2),
    ),
    'shufflenetv1': (
        [(f'layer{i}', f'layer{i}.{last}.preact', f'layer{i}.{last}.bn3') for i, last in ((1, 3), (2, 7), (3, 3))],
        'relu',
        [(240, 16), (480, 8), (960, 4)],
        (960, 4),
    ),
    'shufflenetv2': (  # the last norm makes half of the channels
        [(f'layer{i}', f'layer{i}.{last}.preact', None) for i, last in ((1, 3), (2, 7), (3, 3))],
        'relu',
        [(116, 16), (232, 8), (464, 4)],
        (1024, 4),
    ),
    'resnet50': (
        [(f'layer{i}', f'layer{i}.{last}.preact', f'layer{i}.{last}.bn3') for i, last in ((1, 2), (2, 3), (3, 5), (4, 2))],
        'relu',
        [(256, 32), (512, 16), (1024, 8), (2048, 4)],
        (2048, 4),
    ),
}


def images(side):
    return torch.rand(2, 3, side, side, generator=torch.Generator().manual_seed(0))


def classifier(backbone, width, neck=True, **head):
    config = dict(
        type='mmpretrain.ImageClassifier',
        backbone=backbone,
        neck=dict(type='GlobalAveragePooling') if neck else None,
        head=dict(type='LinearClsHead', num_classes=7, in_channels=width, **head),
    )
    return MODELS.build(dict(config, _scope_='mmpretrain'))


@pytest.mark.parametrize('name', BENCHMARK)
def test_layers_of_the_benchmark_are_those_of_its_protocol(name):
    stages, stem, sizes, last = BENCHMARK[name]
    (config,) = Config.fromfile(MODEL_FILES / f'{name}.py').values()
    found = inspect_network(MODELS.build(config), images(32))
    expected = [
        Stage(
            Layer(f'backbone.{stage}', False, (width, side, side)),
            before and Layer(f'backbone.{before}', False, (width, side, side)),
            norm and f'backbone.{norm}',
        )
        for (stage, before, norm), (width, side) in zip(stages, sizes)
    ]
    assert list(found.stages) == expected
    assert found.stem.source == f'backbone.{stem}'
    assert found.last_map == Layer('neck.gap', True, (last[0], last[1], last[1]), data_idx=0)
    assert found.pooled == Layer('head.fc', True, (last[0],), data_idx=0)
    assert found.logits == Layer('head.fc', False, (100,))
    assert found.loss_labels == Layer('head.loss_module', True, (), data_idx=1)


def test_a_shared_relu_is_read_at_the_call_that_ends_the_stage():
    found = inspect_network(classifier(dict(type='ResNet', depth=18), 512), images(64))
    assert [stage.output.source for stage in found.stages] == [f'backbone.layer{i}' for i in (1, 2, 3, 4)]
    assert found.stages[0].before_relu == Layer('backbone.layer1.1.relu', True, (64, 16, 16), data_idx=0, record_idx=1)
    assert found.stages[0].norm == 'backbone.layer1.1.bn2'


def test_a_vision_transformer_gives_four_blocks_and_no_map_that_is_pooled():
    backbone = dict(type='VisionTransformer', arch='deit-tiny', img_size=64)
    network = classifier(backbone, 192, neck=False)
    found = inspect_network(network, images(64))
    assert [stage.output.source for stage in found.stages] == [f'backbone.layers.{i}' for i in (2, 5, 8, 11)]
    assert [stage.output.shape for stage in found.stages] == [(17, 192)] * 4  # 16 patches and the class token
    assert found.last_map is None
    assert found.stem == Layer('backbone.patch_embed', False, (16, 192), data_idx=0)


def test_a_swin_transformer_ends_its_stages_before_the_merging_of_patches():
    backbone = dict(type='SwinTransformer', arch='tiny', img_size=64, pad_small_map=True)
    found = inspect_network(classifier(backbone, 768), images(64))
    assert [stage.output.shape for stage in found.stages] == [(256, 96), (64, 192), (16, 384), (4, 768)]
    assert found.last_map == Layer('neck.gap', True, (768, 2, 2), data_idx=0)


class TwoBranches(nn.Module):
    """Two convolutions side by side, joined after each resolution."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.left, self.right = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 3, padding=1)
        self.join = nn.Conv2d(8, 6, 3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        x = self.first(x)
        return (self.relu(self.join(self.left(x) + self.right(x))),)


def test_layers_beside_the_trunk_are_not_stages_and_in_place_layers_stay_as_they_are():
    MODELS.register_module(name='TwoBranches', module=TwoBranches, force=True)
    network = classifier(dict(type='TwoBranches'), 6)
    found = inspect_network(network, images(16))
    assert [stage.output for stage in found.stages][-1] == Layer('backbone.relu', False, (6, 4, 4))
    assert found.stages[-1].before_relu == Layer('backbone.join', False, (6, 4, 4))
    assert {'backbone.left', 'backbone.right'}.isdisjoint(stage.output.source for stage in found.stages)
    assert network.backbone.relu.inplace


@pytest.mark.parametrize('training', [True, False])
def test_the_network_is_not_changed(training):
    network = classifier(dict(type='ResNet', depth=18, stem_channels=8, base_channels=8), 64).train(training)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    inspect_network(network, images(32))
    assert network.training == training
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert not any(module._forward_hooks for module in network.modules())


class TwoHeads(nn.Module):
    """The mean of two linear layers."""

    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Linear(12, 5), nn.Linear(12, 5)

    def forward(self, images, mode='tensor'):
        x = images.flatten(1)
        return (self.one(x) + self.two(x)) / 2


def test_logits_of_two_heads_are_refused():
    with pytest.raises(ValueError, match="other logits than its layer 'two'"):
        inspect_network(TwoHeads(), images(2))


def test_networks_of_timm_are_read_as_those_of_mmpretrain():
    pytest.importorskip('timm')
    network = MODELS.build(dict(type='mmpretrain.TimmClassifier', model_name='mobilenetv3_small_050', num_classes=7))
    found = inspect_network(network, images(64))
    assert [stage.output.shape[1] for stage in found.stages] == [16, 8, 4, 2]
    assert found.logits == Layer('model.classifier', False, (7,))
    assert found.loss_labels == Layer('loss_module', True, (), data_idx=1)
    assert found.last_map.source == 'model.global_pool.pool'
