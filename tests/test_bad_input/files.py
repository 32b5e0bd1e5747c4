"""Files and folders that are missing, damaged, hostile or in the way."""

import os

import torch

from tests.test_bad_input.case import Case, option
from tests.test_datasets.layouts import image_folder, tiny_imagenet

MARKER = 'this-was-executed'


class Hostile:
    def __reduce__(self):
        return os.mkdir, (MARKER,)


def bad_files(root):
    """A folder of good and bad files."""
    image_folder(root / 'images')
    (root / 'images/cat/broken.png').write_bytes(b'\x89PNG no picture')
    tiny_imagenet(root / 'tiny')
    (root / 'tiny/val').rename(root / 'elsewhere')
    (root / 'empty').mkdir()
    (root / 'empty.pth').touch()
    (root / 'bytes.py').write_bytes(bytes(range(128, 256)) * 4)
    torch.save({'state_dict': {'backbone.stem.weight': torch.zeros(1000)}, 'meta': {}}, root / 'whole.pth')
    (root / 'half.pth').write_bytes((root / 'whole.pth').read_bytes()[:2000])
    torch.save({'state_dict': {}, 'meta': Hostile()}, root / 'hostile.pth')
    return root


def folder(kind, name):
    read = "[dict(type='LoadImageFromFile'), dict(type='PackInputs')]"
    return f"train_dataloader.dataset = dict(type={kind!r}, data_root='{{files}}/{name}', pipeline={read})"


FILES = {
    'no data': Case(
        'the folder .*nowhere of the data set does not exist; put one folder per class there',
        body=folder('CustomDataset', 'nowhere'),
    ),
    'empty data': Case('the folder .*empty of the data set is empty; put one', body=folder('CustomDataset', 'empty')),
    'half of Tiny-ImageNet': Case(
        'tiny of Tiny-ImageNet holds .*, but not val/images.*; unpack', body=folder('icckd_mm.TinyImageNet', 'tiny')
    ),
    'CIFAR without its files': Case(
        'images of CIFAR-100 holds .* but not cifar-100-python/train.*; unpack', body=folder('CIFAR100', 'images')
    ),
    'broken image': Case(
        'broken.png cannot be read as an image: OpenCV cannot decode it',
        body=folder('CustomDataset', 'images')
        + '\ntrain_dataloader.batch_size = 2\nval_dataloader = val_cfg = val_evaluator = None',
        begun=True,
    ),
    'no such checkpoint': option('load_from={files}/nowhere.pth', 'load_from: the checkpoint .*nowhere.pth does not exist'),
    'empty checkpoint': option('load_from={files}/empty.pth', r'empty.pth \(0 bytes\) is damaged or not a PyTorch', begun=True),
    'truncated checkpoint': option('load_from={files}/half.pth', 'half.pth .* is damaged or not a PyTorch', begun=True),
    'text as checkpoint': option('load_from={files}/bytes.py', 'bytes.py .* is damaged or not a PyTorch', begun=True),
    'folder as checkpoint': option('load_from={files}/empty', 'load_from: the checkpoint .*empty does not exist'),
    'hostile checkpoint': option(
        'load_from={files}/hostile.pth', 'hostile.pth was not loaded: it asks for .*, which could run code', begun=True
    ),
    'resume from nowhere': Case('nowhere.pth does not exist', flags=('--resume', '{files}/nowhere.pth')),
    'resume from half a file': Case(
        'half.pth .* is damaged or not a PyTorch checkpoint', flags=('--resume', '{files}/half.pth'), begun=True
    ),
    'resume from a hostile file': Case('hostile.pth was not loaded', flags=('--resume', '{files}/hostile.pth'), begun=True),
    'resume without a run': Case(
        'whole.pth cannot be resumed from: it holds weights', flags=('--resume', '{files}/whole.pth'), begun=True
    ),
    'no teacher': option(
        'model.teacher_ckpt={files}/nowhere.pth', 'model.teacher_ckpt: the checkpoint .*nowhere.pth does not exist', 'kd'
    ),
    'teacher not trained yet': Case('train it first with: python tools/train.py configs/icckd/teacher/icc_resnet20', 'kd'),
    'half a teacher': option('model.teacher_ckpt={files}/half.pth', 'half.pth .* is damaged', 'kd', begun=True),
    'another teacher': option('model.teacher_ckpt={files}/whole.pth', 'whole.pth', 'kd', begun=True),
    'hostile teacher': option('model.teacher_ckpt={files}/hostile.pth', 'hostile.pth was not loaded', 'kd', begun=True),
    'file in the way of the work dir': Case(
        'work_dir: cannot write to .*bytes.py, since .* is a file; --work-dir names another',
        flags=('--work-dir', '{files}/bytes.py'),
    ),
    'file above the work dir': Case(
        'work_dir: cannot write to .*bytes.py/out, since .*bytes.py is a file', flags=('--work-dir', '{files}/bytes.py/out')
    ),
    'nothing to test': Case(
        'CHECKPOINT: the checkpoint .*nowhere.pth does not exist', flags=('{files}/nowhere.pth',), tool='test'
    ),
    'hostile file to test': Case('hostile.pth was not loaded', flags=('{files}/hostile.pth',), tool='test', begun=True),
    'nothing to publish': Case(
        'nowhere', base='', flags=('{files}/nowhere', '--out', '{files}/published'), tool='model_converters/publish'
    ),
    'hostile file to publish': Case(
        'hostile.pth', base='', flags=('{files}/hostile.pth', '--out', '{files}/published'), tool='model_converters/publish'
    ),
    'nothing to verify': Case('nowhere', base='', flags=('{files}/nowhere',), tool='model_converters/verify'),
    'nothing to import': Case(
        'nowhere.pth',
        base='',
        flags=('{files}/nowhere.pth', '{files}/imported.pth', '--arch', 'resnet8'),
        tool='model_converters/import_checkpoint',
    ),
    'hostile file to import': Case(
        'hostile.pth',
        base='',
        flags=('{files}/hostile.pth', '{files}/imported.pth', '--arch', 'resnet8'),
        tool='model_converters/import_checkpoint',
    ),
}
