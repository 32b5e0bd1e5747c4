"""A checkpoint that cannot be imported gives a one-line error and no file."""

import importlib.util
import os
from pathlib import Path

import numpy
import pytest
import torch

from icckd_mm.zoo.import_checkpoint import import_checkpoint

TOOL = Path(__file__).parents[2] / 'tools' / 'model_converters' / 'import_checkpoint.py'


@pytest.fixture(scope='module')
def main():
    spec = importlib.util.spec_from_file_location('import_checkpoint_tool', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


@pytest.fixture
def refused(tmp_path):
    """Imports with an error, sees that nothing was written, and gives the message."""

    def run(src, arch, source='auto', error=ValueError):
        before = sorted(tmp_path.rglob('*'))
        with pytest.raises(error) as caught:
            import_checkpoint(src, tmp_path / 'new' / 'out.pth', arch, source)
        assert sorted(tmp_path.rglob('*')) == before
        assert '\n' not in str(caught.value)
        return str(caught.value)

    return run


def edited(**changes):
    """A wrapping that drops the tensors that are None and adds the others."""

    def wrap(state):
        return {'model': {key: value for key, value in {**state, **changes}.items() if value is not None}}

    return wrap


def test_missing_and_surplus_keys_are_named(peer_file, refused):
    src, _ = peer_file('resnet8', wrap=edited(**{'layer1.0.conv2.weight': None, 'extra.weight': torch.zeros(1)}))
    message = refused(src, 'resnet8')
    assert 'is not a resnet8 of the benchmark' in message
    assert 'missing: backbone.layer1.0.conv2.weight;' in message
    assert message.endswith('surplus: extra.weight')


def test_another_depth_is_found_out(peer_file, refused):
    src, _ = peer_file('resnet20')
    assert 'surplus: layer1.1.conv1.weight, layer1.1.bn1.weight, layer1.1.bn1.bias and ' in refused(src, 'resnet8')
    src, _ = peer_file('resnet8')
    assert 'missing: backbone.layer1.1.conv1.weight, ' in refused(src, 'resnet20')


def test_another_width_is_found_out(peer_file, refused):
    src, _ = peer_file('wrn_16_1')
    message = refused(src, 'wrn_16_2')
    assert 'block1.layer.0.conv1.weight (16, 16, 3, 3) for (32, 16, 3, 3)' in message
    assert 'missing: backbone.layer1.0.downsample.weight' in message


def test_another_family_is_found_out_by_its_last_layer(peer_file, refused):
    src, _ = peer_file('vgg8')
    assert 'is not a resnet8 of the benchmark: fc.weight is missing, its last layer' in refused(src, 'resnet8')


def test_unusable_class_count(peer_file, refused):
    src, _ = peer_file('resnet8', wrap=edited(**{'fc.weight': torch.zeros(64)}))
    assert 'number of classes unknown, since fc.weight has the shape (64,)' in refused(src, 'resnet8')
    src, _ = peer_file('resnet8', wrap=edited(**{'fc.bias': torch.zeros(11)}))
    assert 'of another shape: fc.bias (11,) for (10,)' in refused(src, 'resnet8')
    src, _ = peer_file('resnet8', wrap=edited(**{'fc.weight': torch.zeros(0, 64)}))
    assert 'number of classes unknown' in refused(src, 'resnet8')


def test_source_is_binding(peer_file, refused):
    src, _ = peer_file('vgg11')
    assert 'is not a vgg11 of the torchvision: classifier.6.weight is missing' in refused(src, 'vgg11', 'torchvision')
    assert "arch='wrn_16_2' must be one of resnet18, resnet34," in refused(src, 'wrn_16_2', 'torchvision')
    assert "source='timm' must be one of auto, mdistiller" in refused(src, 'vgg11', 'timm')


def test_unknown_name_lists_the_names(tmp_path, refused):
    message = refused(tmp_path / 'none.pth', 'resnet21')
    assert "arch='resnet21' must be one of resnet8, resnet14," in message
    assert 'mobilenet_v2' in message


class Program:
    def __reduce__(self):
        return print, ('run',)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'model': {'fc.weight': 1}}, 'holds no state dict'),
        ({}, 'holds no state dict'),
        ([torch.zeros(1)], 'holds no state dict'),
        ({'model': {}, 'best': Program()}, 'asks for builtins.print'),
        ({'model': {}, 'best': numpy.array([None])}, 'asks for numpy'),
    ],
)
def test_what_is_no_checkpoint(content, message, tmp_path, refused, capsys):
    torch.save(content, tmp_path / 'src.pth')
    assert message in refused(tmp_path / 'src.pth', 'resnet8')
    assert capsys.readouterr().out == ''


@pytest.mark.parametrize('content', [b'', b'not a checkpoint', b'PK\x03\x04 cut off'])
def test_damaged_files(content, tmp_path, refused):
    (tmp_path / 'src.pth').write_bytes(content)
    assert 'is damaged or not a PyTorch checkpoint' in refused(tmp_path / 'src.pth', 'resnet8')


def test_no_file(tmp_path, refused):
    assert 'none.pth' in refused(tmp_path / 'none.pth', 'resnet8', error=FileNotFoundError)


def test_a_failed_write_leaves_nothing_and_keeps_what_was_there(peer_file, tmp_path, monkeypatch):
    src, _ = peer_file('resnet8')
    out = tmp_path / 'out.pth'
    out.write_bytes(b'precious')

    def broken(descriptor):
        raise OSError('no space left on device')

    monkeypatch.setattr(os, 'fsync', broken)
    with pytest.raises(OSError, match='no space'):
        import_checkpoint(src, out, 'resnet8', force=True)
    assert out.read_bytes() == b'precious'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out.pth', 'src.pth']


def test_the_command(main, peer_file, tmp_path, capsys):
    src, _ = peer_file('resnet8', 5)
    out = tmp_path / 'out.pth'
    main([str(src), str(out), '--arch', 'resnet8'])
    assert capsys.readouterr().out == (f'{out}: resnet8 (mdistiller or repdistiller), 5 classes; build it from meta["model"]\n')
    written = out.read_bytes()
    with pytest.raises(FileExistsError, match=r'out.pth exists; --force replaces it$'):
        main([str(src), str(out), '--arch', 'resnet8'])
    assert out.read_bytes() == written
    main([str(src), str(out), '--arch', 'resnet8', '--source', 'repdistiller', '--force'])
    assert '(repdistiller)' in capsys.readouterr().out
    with pytest.raises(ValueError, match=r'src.pth is not a vgg8 of the benchmark'):
        main([str(src), str(tmp_path / 'other.pth'), '--arch', 'vgg8'])
    with pytest.raises(FileNotFoundError, match=r'none.pth can not be found.$'):
        main([str(tmp_path / 'none.pth'), str(tmp_path / 'other.pth'), '--arch', 'vgg8'])
    assert not (tmp_path / 'other.pth').exists()
