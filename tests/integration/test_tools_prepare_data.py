"""The subset of Tiny-ImageNet, made from a tiny copy of its layout."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS, DefaultScope

from icckd_mm.datasets.files.cifar_subset import CLASSES as CIFAR10
from icckd_mm.datasets.files.cifar_subset import cut_cifar10
from icckd_mm.datasets.files.tiny_imagenet_subset import cut_tiny_imagenet
from tests.integration.test_tools import command
from tests.test_datasets.layouts import PER_CLASS, tiny_imagenet

ROOT = Path(__file__).resolve().parents[2]
main = command('prepare_data')


@pytest.fixture
def source(tmp_path):
    """Three classes; images of noise, so that a mistake in the size or in the order of colours shows."""
    root = tiny_imagenet(tmp_path / 'tiny')
    for number, path in enumerate(sorted(root.rglob('*.JPEG'))):
        cv2.imwrite(str(path), np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8))
    return root


def digest(folder):
    files = sorted(path for path in folder.rglob('*') if path.is_file())
    return [(str(path.relative_to(folder)), hashlib.sha256(path.read_bytes()).hexdigest()) for path in files]


def test_the_first_classes_become_folders_of_smaller_images(source, tmp_path, capsys):
    """Sorted wnids, not in the order of wnids.txt; each new pixel is the mean of four, computed here by numpy."""
    out = tmp_path / 'cut'
    main(['tiny-imagenet', str(source), str(out), '--classes', '2', '--size', '32'])
    assert f'{out}: 2 classes, 32x32' in capsys.readouterr().out
    assert sorted(path.name for path in (out / 'train').iterdir()) == ['n01', 'n02']
    assert len(list(out.rglob('train/*/*.png'))) == 2 * PER_CLASS
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        for split, images in (('train', 'train/{wnid}/images'), ('val', 'val/images')):
            load = [dict(type='LoadImageFromFile')]
            folder = DATASETS.build(dict(type='mmpretrain.CustomDataset', data_root=str(out), data_prefix=split, pipeline=load))
            assert len(folder) == {'train': 8, 'val': 4}[split]
            for item in (folder[i] for i in range(len(folder))):
                wnid = ('n01', 'n02')[item['gt_label']]
                name = Path(item['img_path']).stem + '.JPEG'
                large = cv2.imread(str(source / images.format(wnid=wnid) / name)).astype(float)
                means = large.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
                assert np.abs(item['img'] - means).max() <= 0.5
                if split == 'val':
                    assert f'{name}\t{wnid}\t' in (source / 'val/val_annotations.txt').read_text()


def test_two_calls_give_the_same_files(source, tmp_path):
    for name in ('a', 'b'):
        list(cut_tiny_imagenet(source, tmp_path / name, classes=3, size=24))
    assert digest(tmp_path / 'a') == digest(tmp_path / 'b')
    assert len(digest(tmp_path / 'a')) == 18


def test_an_unfinished_cut_is_not_there_and_the_next_call_does_it_again(source, tmp_path):
    out = tmp_path / 'cut'
    steps = cut_tiny_imagenet(source, out, classes=2)
    assert [next(steps) for _ in range(3)] == [(1, 12), (2, 12), (3, 12)]
    theirs = tmp_path / 'cut.partial/notes.txt'  # a folder of somebody else
    theirs.parent.mkdir()
    theirs.touch()
    other = cut_tiny_imagenet(source, out, classes=2)
    next(other)
    steps.close()
    assert not out.exists()
    list(other)  # a second process is not disturbed by the first
    list(cut_tiny_imagenet(source, tmp_path / 'undisturbed', classes=2))
    assert digest(out) == digest(tmp_path / 'undisturbed')
    assert theirs.exists()
    assert not list(tmp_path.glob('.cut-*'))


def test_of_two_calls_at_once_the_later_is_refused_and_leaves_nothing(source, tmp_path):
    first, second = (cut_tiny_imagenet(source, tmp_path / 'cut', classes=classes) for classes in (2, 1))
    next(first), next(second)
    list(first)
    with pytest.raises(OSError, match='cut'):
        list(second)
    assert len(digest(tmp_path / 'cut')) == 12
    assert not list(tmp_path.glob('.cut-*'))


def test_a_killed_command_leaves_no_folder_that_looks_finished(source, tmp_path):
    """Killed without warning while it writes; more images than it can write at once."""
    images = source / 'train/n01/images'
    for number in range(3000):
        os.link(images / 'n01_0.JPEG', images / f'more_{number}.JPEG')
    out = tmp_path / 'cut'
    words = [sys.executable, 'tools/prepare_data.py', 'tiny-imagenet', str(source), str(out), '--classes', '1']
    process = subprocess.Popen(words, cwd=ROOT, env={**os.environ, 'PYTHONPATH': str(ROOT)})
    deadline = time.time() + 120
    while not list(tmp_path.glob('.cut-*/images/train/n01/*.png')) and process.poll() is None and time.time() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert not out.exists()
    assert list(tmp_path.glob('.cut-*'))


@pytest.mark.parametrize(
    ('change', 'options', 'message'),
    [
        (lambda root, out: out.mkdir(), {}, 'exists already'),
        (lambda root, out: None, dict(classes=4), 'names 3 classes, fewer than the 4 asked for'),
        (lambda root, out: None, dict(classes=0), 'classes must be 1 to 200, got 0'),
        (lambda root, out: None, dict(size=65), 'size must be 8 to 64 pixels'),
        (lambda root, out: (root / 'wnids.txt').unlink(), {}, 'not wnids.txt'),
        (lambda root, out: (root / 'train/n01/images/n01_0.JPEG').unlink(), {}, 'n01_0'),
        (lambda root, out: (root / 'val/val_annotations.txt').write_text('val_0.JPEG n01\n'), {}, 'line 1'),
    ],
)
def test_mistakes_are_named_before_anything_is_written(source, tmp_path, change, options, message):
    out = tmp_path / 'cut'
    change(source, out)
    with pytest.raises(ValueError, match=message):
        cut_tiny_imagenet(source, out, **{'classes': 2, **options})
    assert not list(tmp_path.glob('.cut-*'))


def test_a_broken_image_is_named(source, tmp_path):
    (source / 'train/n01/images/n01_2.JPEG').write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'OpenCV cannot read the image .*n01_2\.JPEG; unpack'):
        list(cut_tiny_imagenet(source, tmp_path / 'cut', classes=2))
    assert not (tmp_path / 'cut').exists()


@pytest.fixture
def cifar10(tmp_path):
    """Four training and two test images of noise in each class, half of them JPEG files."""
    root = tmp_path / 'cifar10'
    for number, (name, place) in enumerate((name, place) for name in CIFAR10 for place in range(6)):
        path = root / ('train' if place < 4 else 'test') / name / f'{place % 4:04d}.{("jpg", "png")[place % 2]}'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.random.default_rng(number).integers(0, 256, (32, 32, 3), np.uint8))
    return root


def test_cifar10_is_averaged_and_its_last_training_images_are_held_out(cifar10, tmp_path, capsys):
    """No image is in two parts, and each new pixel is the mean of four, up to rounding: nothing is compressed again."""
    out = tmp_path / 'cut'
    main(['cifar10', str(cifar10), str(out), '--train', '2', '--held-out', '1'])
    assert f'{out}: 2 + 1 training images per class, 16x16' in capsys.readouterr().out
    parts = {
        'train': ('train', ['0000.jpg', '0001.png']),
        'held_out': ('train', ['0003.png']),
        'test': ('test', ['0000.jpg', '0001.png']),
    }
    for part, (origin, names) in parts.items():
        assert sorted(path.name for path in (out / part).iterdir()) == sorted(CIFAR10)
        for name in CIFAR10:
            assert sorted(path.name for path in (out / part / name).iterdir()) == [f'{file[:4]}.png' for file in names]
            for file in names:
                large = cv2.imread(str(cifar10 / origin / name / file)).astype(float)
                found = cv2.imread(str(out / part / name / f'{file[:4]}.png'))
                assert np.abs(found - large.reshape(16, 2, 16, 2, 3).mean(axis=(1, 3))).max() <= 0.5


@pytest.mark.parametrize(
    ('change', 'options', 'message'),
    [
        (lambda root, out: out.mkdir(), {}, 'exists already'),
        (lambda root, out: None, dict(train=4), r'train/airplane has 4 images, fewer than 4 \+ 1; ask for fewer'),
        (lambda root, out: None, dict(train=0), 'train must be a whole number of at least 1, got 0'),
        (lambda root, out: None, dict(held_out=0.5), 'held_out must be a whole number of at least 1, got 0.5'),
        (lambda root, out: None, dict(size=64), 'size must be 8 to 32 pixels, the size of the originals, got 64'),
        (lambda root, out: os.rename(root / 'test/cat', root / 'test/kitten'), {}, r'test/cat has no images \*.jpg or \*.png'),
    ],
)
def test_mistakes_about_cifar10_are_named_before_anything_is_written(cifar10, tmp_path, change, options, message):
    out = tmp_path / 'cut'
    change(cifar10, out)
    with pytest.raises(ValueError, match=message):
        cut_cifar10(cifar10, out, **{'train': 2, 'held_out': 1, **options})
    assert not list(tmp_path.glob('.cut-*'))
