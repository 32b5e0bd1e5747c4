"""Checkpoints of mdistiller and RepDistiller, against a plain transcription of their networks."""

import argparse

import pytest
import torch

from icckd_mm.zoo.architectures import classifier_config
from icckd_mm.zoo.import_checkpoint import import_checkpoint

from .peer_networks import NETWORKS

COUNTS = {'resnet8': 83_892, 'resnet32x4': 7_433_860, 'ResNet50': 23_705_252, 'wrn_40_2': 2_255_156, 'vgg13': 9_462_180}
COUNTS.update(MobileNetV2=812_836, ShuffleV1=949_258, ShuffleV2=1_355_528)


@pytest.mark.parametrize('arch', COUNTS)
def test_the_transcription_is_of_the_right_size(arch):
    with torch.device('meta'):
        assert sum(p.numel() for p in NETWORKS[arch]().parameters()) == COUNTS[arch]


@pytest.mark.parametrize('arch', NETWORKS)
def test_same_logits(arch, peer_file, classifier, tmp_path):
    src, network = peer_file(arch)
    meta = import_checkpoint(src, tmp_path / 'out.pth', arch.upper())  # any case
    images = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(classifier(tmp_path / 'out.pth')(images), network(images), rtol=0, atol=1e-5)
    assert meta['arch'] == arch
    assert meta['model'] == classifier_config(arch, 10)


@pytest.mark.parametrize('num_classes', [2, 100, 200])
def test_number_of_classes_comes_from_the_file(num_classes, peer_file, tmp_path):
    src, _ = peer_file('resnet8', num_classes)
    meta = import_checkpoint(src, tmp_path / 'out.pth', 'resnet8')
    assert meta['num_classes'] == num_classes
    assert meta['model']['head']['num_classes'] == num_classes


WRAPPINGS = {
    'bare': lambda state: state,
    'model': lambda state: {'model': state, 'epoch': 240, 'best_acc': torch.tensor(70.0)},
    'state_dict': lambda state: {'state_dict': state},
    'data_parallel': lambda state: {'model': {f'module.{key}': value for key, value in state.items()}},
    'command_line': lambda state: {'opt': argparse.Namespace(model='resnet8', lr=0.05), 'model': state},
    'distiller': lambda state: {
        'model': {f'module.{who}.{key}': value for who in ('student', 'teacher') for key, value in state.items()}
    },
    'no_counters': lambda state: {'model': {key: value for key, value in state.items() if not key.endswith('tracked')}},
}


@pytest.mark.parametrize('wrapping', WRAPPINGS)
def test_every_wrapping_of_the_two_projects(wrapping, peer_file, classifier, tmp_path):
    src, network = peer_file('wrn_16_1', wrap=WRAPPINGS[wrapping])
    import_checkpoint(src, tmp_path / 'out.pth', 'wrn_16_1')
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(classifier(tmp_path / 'out.pth')(images), network(images), rtol=0, atol=1e-5)


def test_the_student_is_taken_not_the_teacher(peer_file, tmp_path):
    def wrap(state):
        return {
            'model': {f'{who}.{key}': value * n for n, who in enumerate(('student', 'teacher')) for key, value in state.items()}
        }

    import_checkpoint(peer_file('vgg8', wrap=wrap)[0], tmp_path / 'out.pth', 'vgg8')
    state = torch.load(tmp_path / 'out.pth', weights_only=True)['state_dict']
    assert not any(value.any() for value in state.values())  # times 0


@pytest.mark.parametrize('source', ['mdistiller', 'repdistiller', 'auto'])
def test_meta_is_plain_and_names_the_source(source, peer_file, tmp_path):
    src, _ = peer_file('ShuffleV2')
    returned = import_checkpoint(src, tmp_path / 'new' / 'out.pth', 'shufflev2', source)
    checkpoint = torch.load(tmp_path / 'new' / 'out.pth', weights_only=True)
    assert sorted(checkpoint) == ['meta', 'state_dict']
    assert type(checkpoint['state_dict']) is dict
    assert checkpoint['meta'] == returned
    assert checkpoint['meta']['source'] == ('mdistiller or repdistiller' if source == 'auto' else source)
    assert {key.split('.')[0] for key in checkpoint['state_dict']} == {'backbone', 'head'}
    assert {'head.fc.weight', 'head.fc.bias'} <= set(checkpoint['state_dict'])


def test_vgg_of_64_pixels(peer_file, classifier, tmp_path):
    src, network = peer_file('vgg8', size=64)
    import_checkpoint(src, tmp_path / 'out.pth', 'vgg8')
    checkpoint = torch.load(tmp_path / 'out.pth', weights_only=True)
    checkpoint['meta']['model']['backbone']['pools'] = 4  # the files do not tell the size of the images
    torch.save(checkpoint, tmp_path / 'out.pth')
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(classifier(tmp_path / 'out.pth')(images), network(images), rtol=0, atol=1e-5)
