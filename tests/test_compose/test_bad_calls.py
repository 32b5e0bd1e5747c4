"""Calls that cannot work: one line that says what to do, and nothing written."""

import os

import numpy as np
import pytest
from PIL import Image

from tests.test_compose.conftest import pictures
from tools import compose as command

GOOD = dict(teacher='resnet8', student='resnet8', methods='ce,kd', out='mine')
BAD = {
    'no such network': (dict(teacher='resnet33'), "'resnet33' is not a network: did you mean resnet"),
    'no such student': (dict(student='mobilenet_v2'), 'did you mean mobilenetv2'),
    'no such file': (dict(teacher='nets/mine.py'), 'the config nets/mine.py does not exist'),
    'no such package': (dict(teacher='mmnothing::resnet/resnet18.py'), 'mmnothing::resnet/resnet18.py is not a config'),
    'no such config': (
        dict(teacher='mmpretrain::resnet/resnet18_8xb32_in2k'),
        'did you mean mmpretrain::resnet/resnet18_',
    ),
    'no such torchvision': (dict(teacher='torchvision:resnet19'), 'torchvision:resnet19: arch='),
    'no such distiller': (dict(methods='ce,kdd'), "'kdd' is not a method: did you mean kd"),
    'no such part of a mix': (dict(methods='ce,kd-nothing'), "'nothing' in 'kd-nothing' is not a method"),
    'a distiller twice': (dict(methods='ce,kd-kd'), "the mix 'kd-kd' names a distiller twice"),
    'a method twice': (dict(methods='ce,kd,kd'), "methods name 'kd' twice"),
    'no student': (dict(methods='ce'), 'methods need at least one student'),
    'no data': (dict(data='cifar1000'), r'cifar1000 does not exist; did you mean cifar100\?'),
    'no folder': (dict(data='fotos'), 'data: the folder fotos does not exist; give one with a folder per class'),
    'a file of data': (dict(data='a.txt'), 'data: a.txt is not a folder; give one with a folder per class'),
    'no teacher': (dict(teacher=None), '--teacher must be given'),
    'held out everything': (dict(held_out='1.0'), 'held-out must lie between 0 and 1'),
    'no epochs': (dict(epochs='0'), 'epochs must be a whole number from 1'),
    'a batch of one': (dict(batch='1'), 'batch must be at least 2'),
    'a batch above the data': (dict(batch='1000'), 'batch must be at most the 9 training images'),
    'a learning rate of 0': (dict(lr='0'), 'lr must be above 0'),
    'no such schedule': (dict(schedule='step'), 'schedule must be one of multistep, cosine'),
    'a size of ours': (dict(data='digits', size='32'), 'digits has images of 16x16'),
    'too small a size': (dict(size='4'), 'size must be 8 to 2048'),
    'weights that are not there': (dict(teacher_weights='none.pth'), 'the weights none.pth do not exist'),
    'weights of another network': (dict(teacher_weights='other.pth'), 'other.pth is not resnet8'),
    'a folder without images': (dict(data='empty'), 'has no folders'),
    'out is a file': (dict(out='a.txt'), 'a.txt is a file'),
    'out in a file': (dict(out='a.txt/mine'), 'a.txt/mine cannot be made: .*a.txt is a file'),
    'out in the images': (dict(out='data/mine'), 'data/mine lies inside the images'),
    'out is code': (dict(out="x' + str(print(1)) + '"), 'which configs cannot name; rename it'),
    'out with a quote': (dict(out="tom's/birds"), 'which configs cannot name; rename it'),
    'out is two lines': (dict(out='a\nb'), 'which configs cannot name; rename it'),
    'out is a variable': (dict(out='{{ fileDirname }}'), 'which configs cannot name; rename it'),
    'a class that is a variable': (dict(data='variables'), r'HOME:1 }} holds {{; rename it'),
    'a name that is not UTF-8': (dict(data='latin'), r'caf\? holds bytes that are not UTF-8; rename it'),
    'a class of two lines': (dict(data='lines'), 'two words holds a control character; rename it'),
    'a hidden folder': (dict(data='hidden'), 'hidden/val: the hidden folder .ipynb_checkpoints would count as a class'),
    'a head without a type': (dict(teacher='untyped.py'), 'untyped.py: the head of its model is not a dict with a type'),
    'no methods': (dict(methods=','), "methods ',' hold an empty name"),
    'an empty part of a mix': (dict(methods='ce,kd--rkd'), 'hold an empty name'),
    'a network of another size': (dict(teacher='torchvision:vgg11'), 'torchvision:vgg11 does not run on images of 16x16'),
    'maps that do not fit': (dict(methods='ce,ofd', student='mobilenetv2'), 'ofd needs maps before the ReLU'),
}


@pytest.fixture
def place(tmp_path, monkeypatch):
    import torch

    monkeypatch.chdir(tmp_path)
    pictures(tmp_path / 'data', ['a', 'b', 'c'], images=4, side=16)
    (tmp_path / 'empty').mkdir()
    pictures(tmp_path / 'variables', ['{{ $HOME:1 }}', 'b'], images=2, side=16)
    pictures(tmp_path / 'latin', [os.fsdecode(b'caf\xe9'), 'b'], images=2, side=16)
    pictures(tmp_path / 'lines', ['two\nwords', 'b'], images=2, side=16)
    for split in ('train', 'val'):
        pictures(tmp_path / 'hidden' / split, ['a', 'b'], images=2, side=16)
    (tmp_path / 'hidden/val/.ipynb_checkpoints').mkdir()
    (tmp_path / 'a.txt').write_text('text')
    (tmp_path / 'untyped.py').write_text(
        "model = dict(type='ImageClassifier', backbone=dict(type='ResNet', depth=18), head=dict())"
    )
    torch.save({'state_dict': {'conv.weight': torch.zeros(3)}}, tmp_path / 'other.pth')
    return tmp_path


def arguments(changes):
    given = {'data': 'data', **GOOD, **changes}
    return [word for name, value in given.items() if value is not None for word in (f'--{name.replace("_", "-")}', value)]


@pytest.mark.parametrize('case', BAD)
def test_a_bad_call_says_in_one_line_what_to_do_and_writes_nothing(case, place):
    changes, message = BAD[case]
    before = sorted(place.rglob('*'))
    with pytest.raises(ValueError, match=message) as caught:
        command.main(arguments(changes))
    assert '\n' not in str(caught.value)
    assert sorted(place.rglob('*')) == before


def test_timm_that_is_missing_is_one_line_that_names_the_extra(place, monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name, *rest: None if name == 'timm' else found(name, *rest))
    with pytest.raises(ValueError, match=r"timm:resnet18 needs timm; install it with: pip install 'icckd-mm\[timm\]'"):
        command.main(arguments(dict(teacher='timm:resnet18')))


ODD = {
    'cut.jpg': (b'\xff\xd8\xff\xe0\x00\x10JFIF', 'cut.jpg cannot be read'),
    'empty.png': (b'', 'empty.png cannot be read: it is empty'),
    'text.png': (b'not an image at all', 'text.png cannot be read: OpenCV cannot decode it'),
}


@pytest.mark.parametrize('name', ODD)
def test_a_damaged_file_is_named(name, place):
    content, message = ODD[name]
    (place / 'data/b' / name).write_bytes(content)
    with pytest.raises(ValueError, match=message):
        command.main(arguments({}))
    assert not (place / 'mine').exists()


def test_all_damaged_files_are_counted(place):
    for number in range(3):
        (place / f'data/a/bad{number}.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r'\(and 2 more files\)'):
        command.main(arguments({}))


def test_grey_palette_and_transparent_images_and_two_sizes_are_read(place):
    rng = np.random.default_rng(0)
    grey = Image.fromarray(rng.integers(255, size=(16, 24), dtype=np.uint8))
    grey.save(place / 'data/a/grey.png')
    grey.convert('P').save(place / 'data/a/palette.png')
    Image.fromarray(rng.integers(255, size=(20, 16, 4), dtype=np.uint8)).save(place / 'data/b/rgba.png')
    (place / 'data/b/Thumbs.db').write_bytes(b'not an image')
    done = command.main(arguments(dict(size='16', epochs='1', batch='4')))
    assert done.student.train_dataloader.dataset.pipeline[1].type == 'ResizeEdge'
    assert done.hours['student_kd'] > 0


def test_inspection_prints_a_line_for_each_layer(capsys):
    command.main(['--teacher', 'resnet8', '--inspect'])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'resnet8 at 32x32, with 100 classes as an example; --data gives yours'
    assert any(line.split()[:3] == ['logits', 'head.fc', '100'] for line in lines)
    assert any('backbone.layer2' in line and '32 x 16 x 16' in line for line in lines)


def test_inspection_takes_classes_and_size_of_the_images(place, capsys):
    command.main(['--teacher', 'resnet8', '--inspect', '--data', 'data'])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == 'resnet8 at 16x16'
    assert any(line.split()[:3] == ['logits', 'head.fc', '3'] for line in lines)


def test_names_that_begin_with_a_space_are_found(place):
    pictures(place / 'odd', [' lead', '\u3000wide', '-dash', 'say "hi"'], images=2, side=16)
    command.main(arguments(dict(data='odd', epochs='1', batch='2')))
    lines = (place / 'mine/train.txt').read_text(encoding='utf-8').splitlines()
    assert all((place / 'odd' / line.strip().rsplit(' ', 1)[0]).is_file() for line in lines)


def test_a_head_without_a_loss_a_list_of_initialisers_and_a_last_batch_of_one_image_run(place):
    net = dict(type='ImageClassifier', backbone=dict(type='ResNet', depth=18), neck=dict(type='GlobalAveragePooling'))
    net['init_cfg'] = [dict(type='TruncNormal', layer='Linear', std=0.02)]  # as of transformers in mmpretrain
    net['head'] = dict(type='LinearClsHead', num_classes=1000, in_channels=512)
    (place / 'plain.py').write_text(f'model = {net!r}')
    done = command.main(arguments(dict(teacher='plain.py', student='plain.py', epochs='1', batch='4', size='32')))
    assert done.student.model.architecture.head.num_classes == 3
    assert done.student.train_dataloader.drop_last  # of 9 images
