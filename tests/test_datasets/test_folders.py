"""Messages about missing data."""

import pytest

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
