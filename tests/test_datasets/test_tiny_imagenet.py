"""Tiny-ImageNet in its official layout, whole and damaged."""

import shutil

import pytest

from icckd_mm.datasets import TinyImageNet

from .layouts import tiny_imagenet

LOAD = [dict(type='LoadImageFromFile')]


@pytest.fixture
def root(tmp_path):
    return tiny_imagenet(tmp_path / 'tiny-imagenet-200')


@pytest.mark.parametrize(('split', 'counts'), [('train', [4, 4, 4]), ('val', [2, 2, 2])])
def test_every_image_has_the_class_of_its_folder_or_annotation(root, split, counts):
    data = TinyImageNet(str(root), split=split, pipeline=LOAD)
    labels = data.get_gt_labels().tolist()
    assert [labels.count(label) for label in range(3)] == counts
    for row in data:  # the grey level says which wnid was drawn
        assert abs(int(row['img'].mean()) - 40 * (row['gt_label'] + 1)) <= 1


def test_classes_are_sorted_wnids_by_their_names(root):
    assert TinyImageNet(str(root)).metainfo['classes'] == ('goldfish, Carassius auratus', 'bullfrog', 'n03')
    (root / 'words.txt').unlink()
    assert TinyImageNet(str(root)).CLASSES == ('n01', 'n02', 'n03')


def test_nothing_is_written_and_indices_work(root):
    before = sorted(root.rglob('*'))
    assert len(TinyImageNet(str(root), split='val', indices=4)) == 4
    assert sorted(root.rglob('*')) == before


@pytest.mark.parametrize('split', ['train', 'val'])
def test_missing_images_are_counted_and_the_first_is_named(root, split):
    folder = root / 'train/n01/images' if split == 'train' else root / 'val/images'
    names = ['n01_1.JPEG', 'n01_3.JPEG'] if split == 'train' else ['val_1.JPEG', 'val_4.JPEG']
    for name in names:
        (folder / name).unlink()
    total = 12 if split == 'train' else 6
    with pytest.raises(ValueError, match=rf'2 of {total} files listed in .* are missing, first: .*{names[0]}'):
        TinyImageNet(str(root), split=split)


def test_empty_classes_are_counted(root):
    for wnid in ('n01', 'n02'):
        shutil.rmtree(root / 'train' / wnid)
    with pytest.raises(ValueError, match=r'2 of 3 classes have no images, first: .*n01'):
        TinyImageNet(str(root))


def test_without_lists_of_boxes_the_images_are_what_lies_there(root):
    (root / 'train/n01/n01_boxes.txt').unlink()
    (root / 'train/n01/images/n01_0.JPEG').unlink()
    assert len(TinyImageNet(str(root))) == 11


@pytest.mark.parametrize(
    ('text', 'message'),
    [('', 'is empty'), ('val_0.JPEG\tn01\nval_1.JPEG n02\n', 'line 2 of'), ('val_0.JPEG\tn77\n', "got 'val_0.JPEG")],
)
def test_a_damaged_list_is_named(root, text, message):
    (root / 'val/val_annotations.txt').write_text(text)
    with pytest.raises(ValueError, match=message):
        TinyImageNet(str(root), split='val')


def test_a_missing_part_is_named_with_what_is_there(root):
    (root / 'wnids.txt').unlink()
    with pytest.raises(ValueError, match=r'holds train, val, words.txt, but not wnids.txt .*tiny-imagenet-200.zip'):
        TinyImageNet(str(root))
    with pytest.raises(ValueError, match='nowhere of Tiny-ImageNet does not exist'):
        TinyImageNet(str(root / 'nowhere'))


def test_unknown_split():
    with pytest.raises(ValueError, match=r"'train' or 'val'.*got 'test'"):
        TinyImageNet('x', split='test')
