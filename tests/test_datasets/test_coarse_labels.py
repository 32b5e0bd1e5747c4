"""Coarse labels with fine ones as metadata, in all later steps."""

import numpy as np
import pytest
import torch
from mmengine.dataset import default_collate
from mmengine.registry import DATASETS
from torch.utils.data import DataLoader

from icckd_mm.datasets import Digits
from icckd_mm.datasets.device_loader import DeviceLoader
from icckd_mm.datasets.even_subset import even_subset, spread
from icckd_mm.datasets.repeatable import RepeatableLoader
from icckd_mm.datasets.wrappers.coarse_labels import CoarseLabels

from .layouts import image_folder, picture

GROUPS = [['owl', 'cat'], ['dog']]  # of image_folder's cat, dog, owl
LOAD, PACK = dict(type='LoadImageFromFile'), dict(type='PackInputs')
EVEN = 'icckd_mm.datasets.even_subset.even_subset'
CROP = dict(type='RandomCrop', crop_size=64, padding=4)


def config(root, *steps, **options):
    folder = dict(type='mmpretrain.CustomDataset', data_root=str(root), pipeline=[LOAD, *steps, PACK])
    return dict(type='icckd_mm.CoarseLabels', dataset=folder, groups=GROUPS, **options)


@pytest.fixture
def root(tmp_path):
    return image_folder(tmp_path / 'images')


def test_both_labels_are_those_of_the_image(root):
    """The grey level of an image tells its fine class, whatever the labels say."""
    data = DATASETS.build(config(root))
    assert data.metainfo['classes'] == ('owl+cat', 'dog')
    assert data.metainfo['fine_classes'] == ('cat', 'dog', 'owl')
    assert len(data) == 12
    for index in range(12):
        fine = int(data[index]['inputs'].float().mean()) // 40
        sample, info = data[index]['data_samples'], data.get_data_info(index)
        assert sample.fine_label == info['fine_label'] == data.get_fine_labels()[index] == fine
        assert sample.gt_label.item() == info['gt_label'] == data.get_gt_labels()[index] == int(fine == 1)
    data.get_fine_labels()[:] = 7  # a copy
    assert data[0]['data_samples'].fine_label == 0


def test_images_of_classes_in_no_group_are_left_out_and_indices_choose_among_the_rest(root):
    data = DATASETS.build({**config(root, indices=[5, 0]), 'groups': [['dog'], [2]]})
    assert data.get_fine_labels().tolist() == [2, 1]
    assert [data[i]['data_samples'].gt_label.item() for i in range(2)] == [1, 0]


def test_fine_labels_stay_outside_of_what_training_optimises(root):
    """Metainfo is not moved, stacked or looked at by preprocessors and heads; the label is an integer in it."""
    sample = DATASETS.build(config(root))[0]['data_samples']
    assert 'fine_label' in sample.all_keys()
    assert 'fine_label' not in dict(sample.items())


def test_two_views_through_a_repeatable_loader(root):
    view = dict(type='MultiView', num_views=2, transforms=[[CROP]])
    loader = DataLoader(DATASETS.build(config(root, view)), batch_size=5, collate_fn=default_collate)
    batch = next(iter(RepeatableLoader(loader, seed=0)))
    assert [tuple(one.shape) for one in batch['inputs']] == [(5, 3, 64, 64)] * 2
    assert [(s.gt_label.item(), s.fine_label) for s in batch['data_samples']] == [(0, 0)] * 4 + [(1, 1)]


def test_the_device_loader_trains_on_coarse_labels(root):
    loader = DeviceLoader(config(root, CROP), batch_size=12)
    batch = next(iter(loader))
    levels = (batch['inputs'].amax(dim=(1, 2, 3)).float() / 40).round()
    assert [sample.gt_label.item() for sample in batch['data_samples']] == [int(level == 1) for level in levels]
    assert loader.dataset[4]['data_samples'].fine_label == 1


def test_a_transform_may_pack_the_fine_label_itself(root):
    keys = dict(type='PackInputs', meta_keys=('sample_idx', 'fine_label'))
    folder = dict(type='mmpretrain.CustomDataset', data_root=str(root), pipeline=[LOAD, keys])
    assert CoarseLabels(folder, GROUPS)[8]['data_samples'].fine_label == 2


@pytest.mark.parametrize(
    ('groups', 'message'),
    [
        ([['cat', 'dgo'], ['owl']], "'dgo' is not a class"),
        ([['cat'], ['cat', 'dog']], "'cat' is named twice"),
        ([['cat'], []], 'at least one old one'),
        ([[3]], '3 is not a class; use a label from 0 to 2'),
    ],
)
def test_bad_groups_are_named(root, groups, message):
    with pytest.raises(ValueError, match=message):
        DATASETS.build({**config(root), 'groups': groups})


@pytest.mark.parametrize(('total', 'chosen'), [(10, 10), (10, 3), (1, 1), (50000, 4000), (7, 6)])
def test_numbers_are_spread_evenly(total, chosen):
    """All different, and each stretch of the order has its share, to one."""
    found = np.array(spread(total, chosen))
    assert len(set(found)) == chosen
    assert found.min() >= 0
    assert found.max() < total
    for parts in (2, 3, 10):
        counts = np.bincount(found * parts // total, minlength=parts)
        assert abs(counts - chosen / parts).max() < 2


@pytest.mark.parametrize('images', [0, 13, 2.0])
def test_an_impossible_number_of_images_is_named(root, images):
    with pytest.raises(ValueError, match=f'images must be a whole number from 1 to 12.*got {images}'):
        even_subset(config(root), images)


def test_files_sorted_by_class_keep_all_classes_in_a_subset(tmp_path):
    """Where the first six of twelve would be those of the first two classes; behind coarse labels, too."""
    root = image_folder(tmp_path / 'images')
    plain = config(root)['dataset']
    data = DATASETS.build(dict(type=EVEN, dataset=plain, images=6))
    assert type(data).__name__ == 'CustomDataset'
    assert np.bincount(data.get_gt_labels()).tolist() == [2, 2, 2]
    coarse = DATASETS.build(dict(type=EVEN, dataset=config(root), images=6))
    assert np.bincount(coarse.get_fine_labels()).tolist() == [2, 2, 2]
    assert [coarse.get_data_info(i)['sample_idx'] for i in range(6)] == list(range(6))  # what memory banks count with
    assert plain['pipeline'][0] == LOAD  # the config is as before


def test_unequal_classes_keep_their_shares(tmp_path):
    for name, count in (('a', 30), ('b', 10)):
        for index in range(count):
            picture(tmp_path / name / f'{index:02d}.png', 0, size=8)
    folder = dict(type='mmpretrain.CustomDataset', data_root=str(tmp_path), pipeline=[LOAD, PACK])
    assert np.bincount(even_subset(folder, 20).get_gt_labels()).tolist() == [15, 5]


def test_a_subset_on_the_device_has_the_images_of_the_plain_loader(root):
    """DeviceLoader strips the pipeline of the innermost data set, wrapped or not."""
    subset = dict(type=EVEN, dataset=config(root), images=6)
    loader = DeviceLoader(subset, batch_size=6, sampler=dict(type='DefaultSampler', shuffle=False))
    batch, plain = next(iter(loader)), DATASETS.build(subset)
    assert torch.equal(batch['inputs'], torch.stack([plain[i]['inputs'] for i in range(6)]))
    assert [s.gt_label.item() for s in batch['data_samples']] == plain.get_gt_labels().tolist()


def test_a_data_set_in_memory_has_subsets_as_well():
    assert len(even_subset(dict(type='icckd_mm.Digits', scale=8), 50)) == 50
    assert len(CoarseLabels(Digits(scale=8), [[0, 1], [2]], indices=5)) == 5
