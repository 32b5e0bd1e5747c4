"""Messages about missing data."""

import mmcv
import numpy as np
import pytest
from mmpretrain.registry import DATASETS

from icckd_mm.datasets.files.folders import check_data_folder

from .layouts import cifar10, image_folder, tiny_imagenet


@pytest.mark.parametrize(
    ('kind', 'missing', 'source'),
    [
        ('CIFAR10', 'cifar-10-batches-py/data_batch_1', 'cifar-10-python.tar.gz'),
        ('CIFAR100', 'cifar-100-python/train, cifar-100-python/test', 'cifar-100-python.tar.gz'),
        ('ImageNet', 'train, val', 'image-net.org'),
        ('TinyImageNet', 'wnids.txt, train, val/images', 'tiny-imagenet-200.zip'),
        ('CustomDataset', '', 'one folder per class'),
    ],
)
def test_says_what_is_expected_what_is_there_and_how_to_get_it(tmp_path, kind, missing, source):
    config = dict(type=f'mmpretrain.{kind}', data_root=str(tmp_path / 'data'))
    with pytest.raises(ValueError, match=rf'data of .* does not exist.*{missing}.*{source}'):
        check_data_folder(config)
    (tmp_path / 'data').mkdir()
    with pytest.raises(ValueError, match='is empty'):
        check_data_folder(dict(type='RepeatDataset', dataset=config))
    for index in range(7):
        (tmp_path / 'data' / f'{index}.zip').touch()
    if missing:
        with pytest.raises(ValueError, match=r'holds 0.zip, 1.zip, .* and 2 more, but not ' + missing):
            check_data_folder(config)


def test_is_content_with_complete_folders(tmp_path, monkeypatch):
    check_data_folder(dict(type='CIFAR10', data_root=str(cifar10(tmp_path / 'c', monkeypatch))))
    check_data_folder(dict(type='icckd_mm.TinyImageNet', data_root=str(tiny_imagenet(tmp_path / 't'))))
    check_data_folder(dict(type='mmpretrain.CustomDataset', data_root=str(image_folder(tmp_path / 'f'))))


def test_looks_at_nothing_that_is_not_on_this_disk_or_will_be_fetched():
    check_data_folder(dict(type='icckd_mm.Digits'))
    check_data_folder(dict(type='mmpretrain.ImageNet', data_root='s3://bucket/imagenet'))
    check_data_folder(dict(type='mmpretrain.CIFAR10', data_root='nowhere', download=True))


@pytest.fixture
def sorted_images(tmp_path):
    """A folder a class, with a file among the images that is not one."""
    for name in ('train/cat/1.png', 'train/dog/2.png', 'train/cat/notes.txt'):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        mmcv.imwrite(np.zeros((4, 4, 3), np.uint8), str(tmp_path / name)) if name.endswith('png') else (
            tmp_path / name
        ).write_text('x')
    (tmp_path / 'empty').mkdir()
    return dict(type='CustomDataset', data_root=str(tmp_path), data_prefix='train')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            dict(data_prefix='trian'),
            r"/trian of the data set does not exist; .* holds empty, train; correct data_prefix='trian'",
        ),
        (dict(data_prefix=dict(img_path='trian')), r"correct data_prefix.img_path='trian'"),
        (dict(data_prefix='empty'), r"/empty of the data set is empty; correct data_prefix='empty'"),
        (dict(ann_file='labels.txt'), r"/labels.txt of the data set does not exist; .* correct ann_file='labels.txt'"),
        (dict(data_root='', data_prefix='/nowhere/train'), r"/nowhere holds nothing, .* correct data_prefix='/nowhere/train'"),
    ],
)
def test_a_part_that_is_missing_is_named_like_a_missing_folder(sorted_images, change, message):
    check_data_folder(sorted_images)
    with pytest.raises(ValueError, match=message):
        check_data_folder({**sorted_images, **change})


def test_a_file_that_is_not_an_image_is_left_out(sorted_images):
    assert len(DATASETS.build(sorted_images)) == 2
