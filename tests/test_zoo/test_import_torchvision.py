"""Checkpoints of torchvision, against its own networks."""

import pytest
import torch
import torchvision
from mmpretrain.registry import MODELS

from icckd_mm.zoo.architectures import ARCHITECTURES
from icckd_mm.zoo.import_checkpoint import import_checkpoint

from .peer_networks import randomise

NAMES = [one.name for one in ARCHITECTURES if one.family == 'torchvision']


@pytest.mark.parametrize('name', NAMES)
@pytest.mark.filterwarnings('ignore:Unnecessary conv bias')  # mmcv, of torchvision's VGG with batch norm
def test_every_name_maps_every_tensor(name):
    network = next(one for one in ARCHITECTURES if one.family == 'torchvision' and one.name == name)
    # mmpretrain's ResNet asks a tensor for its value while it is built
    with torch.device('cpu' if name.startswith('resnet') else 'meta'):
        theirs = torchvision.models.get_model(name, num_classes=7).state_dict()
        ours = MODELS.build(network.config(7)).state_dict()
    assert {network.rename(key): value.shape for key, value in theirs.items()} == {key: v.shape for key, v in ours.items()}


def check(name, size, classifier, tmp_path, arch=None, source='auto'):
    torch.manual_seed(0)
    network = randomise(torchvision.models.get_model(name, num_classes=7), size)
    torch.save(network.state_dict(), tmp_path / 'src.pth')
    meta = import_checkpoint(tmp_path / 'src.pth', tmp_path / 'out.pth', arch or name, source)
    assert (meta['source'], meta['arch'], meta['num_classes']) == ('torchvision', name, 7)
    images = torch.randn(2, 3, size, size)
    with torch.no_grad():
        torch.testing.assert_close(classifier(tmp_path / 'out.pth')(images), network(images), rtol=0, atol=1e-5)


@pytest.mark.parametrize('name', ['resnet18', 'resnet34', 'mobilenet_v2'])
def test_same_logits(name, classifier, tmp_path):
    check(name, 64, classifier, tmp_path)


@pytest.mark.parametrize('arch', ['resnet50', 'ResNet50'])
def test_the_keys_decide_between_two_resnet50(arch, classifier, tmp_path):
    check('resnet50', 64, classifier, tmp_path, arch)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['vgg11', 'vgg13_bn', 'vgg16_bn', 'vgg19'])
@pytest.mark.filterwarnings('ignore:Unnecessary conv bias')  # mmcv, of torchvision's VGG with batch norm
def test_same_logits_of_vgg(name, classifier, tmp_path):
    check(name, 224, classifier, tmp_path)  # its linear layers want this size


@pytest.mark.slow
@pytest.mark.parametrize('name', ['resnet101', 'resnet152'])
def test_same_logits_of_deep_resnets(name, classifier, tmp_path):
    check(name, 64, classifier, tmp_path, source='torchvision')
