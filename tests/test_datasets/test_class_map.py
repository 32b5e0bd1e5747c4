"""Coarse labels and some of the classes, on every kind of data set."""

import numpy as np
import pytest
from mmengine.dataset import RepeatDataset
from mmengine.registry import DATASETS

from icckd_mm.datasets import ClassMap, Digits

from .layouts import cifar10, image_folder, tiny_imagenet

PACK = [dict(type='PackInputs')]
READ = [dict(type='LoadImageFromFile'), *PACK]
KINDS = {
    'digits': lambda root, _: dict(type='icckd_mm.Digits', pipeline=PACK),
    'cifar10': lambda root, patch: dict(type='mmpretrain.CIFAR10', data_root=str(cifar10(root / 'c', patch)), pipeline=PACK),
    'tiny': lambda root, _: dict(type='icckd_mm.TinyImageNet', data_root=str(tiny_imagenet(root / 't')), pipeline=READ),
    'folder': lambda root, _: dict(type='mmpretrain.CustomDataset', data_root=str(image_folder(root / 'f')), pipeline=READ),
}


@pytest.fixture(params=KINDS)
def config(request, tmp_path, monkeypatch):
    return KINDS[request.param](tmp_path, monkeypatch)


def test_groups_give_coarse_labels_with_the_same_images(config):
    """What the pipeline gives, what get_gt_labels gives and what the fine labels say must be one."""
    plain = DATASETS.build(config)
    coarse = DATASETS.build(dict(type='icckd_mm.ClassMap', dataset=config, groups=[[2, 0], [1]], names=['even', 'odd']))
    fine = plain.get_gt_labels()
    rows = np.flatnonzero(fine <= 2)
    assert len(coarse) == len(rows) == len(coarse.get_gt_labels())
    assert coarse.metainfo['classes'] == coarse.CLASSES == ('even', 'odd')
    for index in (0, 1, len(rows) // 2, len(rows) - 1):
        expected = int(fine[rows[index]] == 1)
        item = coarse[index]
        assert item['data_samples'].gt_label.item() == coarse.get_gt_labels()[index] == coarse.get_cat_ids(index)[0] == expected
        assert (item['inputs'] == plain[rows[index]]['inputs']).all()


def test_classes_are_renumbered_in_the_order_given(config):
    plain = DATASETS.build(config)
    names = plain.metainfo['classes']
    part = DATASETS.build(dict(type='icckd_mm.ClassMap', dataset=config, classes=[names[2], 0]))
    fine = plain.get_gt_labels()
    assert part.metainfo['classes'] == (names[2], names[0])
    assert part.get_gt_labels().tolist() == [0 if label == 2 else 1 for label in fine if label in (0, 2)]


def test_groups_without_names_join_the_old_ones():
    assert ClassMap(Digits(), groups=[[0, 1], ['7']]).CLASSES == ('0+1', '7')


def test_indices_choose_among_the_images_that_remain():
    whole = ClassMap(Digits(), classes=[7]).dataset.get_gt_labels()
    assert len(ClassMap(Digits(), classes=[7], indices=5)) == 5
    chosen = ClassMap(Digits(scale=8), classes=[7], indices=[2, 0])
    third = np.flatnonzero(whole == 7)[2]
    assert np.array_equal(chosen[0]['img'], Digits(scale=8)[int(third)]['img'])


def test_lazy_init_reads_on_demand():
    lazy = ClassMap(Digits(lazy_init=True), classes=['3'], lazy_init=True)
    assert not lazy.dataset._fully_initialized
    assert set(lazy.get_gt_labels()) == {0}
    lazy.full_init()
    assert len(lazy) == len(ClassMap(Digits(), classes=['3']))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(), 'either groups or classes'),
        (dict(groups=[[0]], classes=[1]), 'either groups or classes'),
        (dict(groups=[[0], []]), 'at least one old one'),
        (dict(classes=[]), 'at least one old one'),
        (dict(groups=[[0, 1], [1]]), "'1' is named twice"),
        (dict(classes=['ten']), "'ten' is not a class; use a label from 0 to 9"),
        (dict(classes=[10]), '10 is not a class'),
        (dict(classes=[0, 1], names=['x']), r"one name for each of the 2 new classes, got \['x'\]"),
        (dict(classes=[0], indices=0), 'no image of Digits is left'),
    ],
)
def test_bad_arguments_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        ClassMap(Digits(), **options)


def test_a_wrapper_inside_is_refused():
    with pytest.raises(TypeError, match='without a wrapper, got RepeatDataset'):
        ClassMap(RepeatDataset(Digits(), times=2), classes=[0])
