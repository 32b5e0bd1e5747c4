import copy
from collections import Counter

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate, pseudo_collate
from mmpretrain.registry import DATASETS

from icckd_mm.datasets import DeviceLoader
from icckd_mm.datasets.multi_view_patterns import GREY, GRID, MultiViewPatterns

PART = 'configs/_base_/datasets/multi-view.py'


def rows(data):
    return [data.get_data_info(index) for index in range(len(data))]


def best_match(image, pattern):
    """The largest mean of image times pattern over all places: 80 at full strength, near 0 where there is none."""
    side = pattern.shape[0]
    windows = np.lib.stride_tricks.sliding_window_view(image - float(GREY), (side, side, 3))
    return float((windows * pattern).mean(axis=(-3, -2, -1)).max())


def test_an_image_depends_on_seed_split_and_index_alone():
    few, many = rows(MultiViewPatterns(images=20)), rows(MultiViewPatterns(images=50))
    for one, other in zip(few, many):
        assert np.array_equal(one['img'], other['img'])
        assert (one['view'], one['traces']) == (other['view'], other['traces'])
    again = MultiViewPatterns(images=20, split='test', seed=1)
    for changed in (dict(split='test'), dict(seed=1), dict(split='test', seed=1)):
        different = rows(MultiViewPatterns(images=20, **changed))
        assert not any(np.array_equal(one['img'], other['img']) for one, other in zip(few, different))
    assert np.array_equal(again.patterns, MultiViewPatterns(images=1, seed=1).patterns)  # one world, two splits
    assert not np.array_equal(again.patterns, MultiViewPatterns(images=1).patterns)


def test_no_image_is_in_both_splits_or_twice_in_one():
    images = [row['img'].tobytes() for split in ('train', 'test') for row in rows(MultiViewPatterns(split, images=200))]
    assert len(set(images)) == 400


@pytest.mark.parametrize('share', [0.0, 0.1, 0.29, 0.5, 1.0])
def test_single_views_have_their_share_in_every_class_and_are_spread_over_its_views(share):
    found = rows(MultiViewPatterns(images=300, num_classes=3, single_view=share))
    for label in range(3):
        views = Counter(row['view'] for row in found if row['gt_label'] == label)
        assert views.total() == 100
        assert views.total() - views[-1] == round(100 * share)
        assert max(views[view] for view in range(3)) - min(views[view] for view in range(3)) <= 1
    assert Counter(row['gt_label'] for row in found[:30]) == {0: 10, 1: 10, 2: 10}


def test_views_and_traces_are_where_they_are_recorded_and_nowhere_else():
    """Looked for without noise, pixel by pixel at every place."""
    data = MultiViewPatterns(images=60, single_view=0.5, noise=0.0)
    for row in rows(data):
        own = {(row['gt_label'], view) for view in (range(3) if row['view'] < 0 else [row['view']])}
        assert len(row['traces']) == len({label for label, _ in row['traces']}) == (2 if row['view'] < 0 else 0)
        assert row['gt_label'] not in {label for label, _ in row['traces']}
        side = data.size // GRID
        for label in range(10):
            for view in range(3):
                match = best_match(row['img'], data.patterns[label, view])
                if (label, view) in own:
                    assert 46 < match < 82
                elif (label, view) in set(row['traces']):
                    assert match > 80 * 0.4 - 1
        textured = (np.abs(row['img'] - float(GREY)).min(axis=2) > 2).sum()
        assert textured == side**2 * (len(own) + len(row['traces']))


def test_under_noise_the_nearest_template_names_class_and_view():
    """Classifies with the known patterns, matched at every position."""
    data = MultiViewPatterns('test', images=60, single_view=1.0)
    hits = 0
    for row in rows(data):
        matches = [[best_match(row['img'], view) for view in views] for views in data.patterns]
        hits += np.unravel_index(np.argmax(matches), (10, 3)) == (row['gt_label'], row['view'])
    assert hits >= 57


def test_arguments_do_what_they_say():
    shape = MultiViewPatterns(images=4, size=32, num_classes=4, views=5, traces=3, single_view=0.0)
    assert shape.patterns.shape == (4, 5, 10, 10, 3)
    assert shape[0]['img'].shape == (32, 32, 3)
    assert [len(row['traces']) for row in rows(shape)] == [3, 3, 3, 3]
    assert shape.CLASSES == ('class 0', 'class 1', 'class 2', 'class 3')
    spread = [np.std(rows(MultiViewPatterns(images=20, noise=noise))[0]['img']) for noise in (0.0, 15.0, 30.0)]
    assert spread[0] < spread[1] < spread[2]
    extremes = [MultiViewPatterns(images=9, noise=0.0, trace_strength=strength) for strength in (1.0, 0.9)]
    reached = [np.abs(np.stack([row['img'] for row in rows(data)]) - float(GREY)).max(axis=(1, 2, 3)) for data in extremes]
    assert (reached[0] == 80).all()
    assert (reached[1] >= 72).all()
    assert (reached[1] < 80).any()  # of views alone, 0.6 to 1 of it
    assert len(MultiViewPatterns(images=40, indices=15)) == 15


@pytest.mark.parametrize(
    ('bad', 'message'),
    [
        (dict(split='val'), "split must be 'train' or 'test', got 'val'"),
        (dict(images=0), 'images must be an integer of at least 1, got 0'),
        (dict(num_classes=1), 'num_classes must be an integer of at least 2'),
        (dict(views=2.0), 'views must be an integer of at least 1, got 2.0'),
        (dict(size=5), 'size must be an integer of at least 6'),
        (dict(seed=-1), 'seed must be an integer of at least 0'),
        (dict(traces=3, num_classes=3), 'traces must be below num_classes'),
        (dict(views=7, traces=3), r'views \+ traces at most 9, the positions in an image; got traces=3'),
        (dict(single_view=1.5), r'single_view must be in \[0, 1\], got 1.5'),
        (dict(trace_strength=-0.1), r'trace_strength must be in \[0, 1\]'),
        (dict(single_view='half'), r"single_view must be in \[0, 1\], got 'half'"),
        (dict(noise=float('nan')), r'noise must be in \[0, 128\) grey levels, got nan'),
    ],
)
def test_bad_arguments_are_named(bad, message):
    with pytest.raises(ValueError, match=message):
        MultiViewPatterns(**bad)


def test_the_test_pipeline_keeps_view_and_traces_through_both_collates():
    loader = Config.fromfile(PART).test_dataloader
    data = DATASETS.build({**loader.dataset, 'images': 30})
    for collate in (default_collate, pseudo_collate):
        samples = collate([data[index] for index in range(30)])['data_samples']
        assert [(sample.view, sample.traces) for sample in samples] == [(row['view'], row['traces']) for row in rows(data)]


@pytest.mark.parametrize('views', [1, 2])
def test_the_device_loader_takes_it_with_the_parts_pipelines(views):
    cfg = Config.fromfile(PART.replace('.py', '_two_views.py') if views == 2 else PART)
    loader = DeviceLoader(dataset=copy.deepcopy({**cfg.train_dataloader.dataset, 'images': 20}), batch_size=8)
    batch = next(iter(loader))
    inputs = batch['inputs'] if views == 2 else [batch['inputs']]
    assert [tuple(view.shape) for view in inputs] == [(8, 3, 16, 16)] * views
    assert all(view.dtype == torch.uint8 for view in inputs)


@pytest.mark.parametrize('seed', [0, 1])
def test_mean_and_spread_of_the_part_are_those_of_the_training_images(seed):
    cfg = Config.fromfile(PART)
    dataset = DATASETS.build({**cfg.train_dataloader.dataset, 'seed': seed})
    pixels = np.stack([row['img'] for row in rows(dataset)]).reshape(-1, 3)
    assert pixels.mean(axis=0) == pytest.approx(cfg.data_preprocessor.mean, abs=2.5)  # patterns are not quite balanced
    assert pixels.std(axis=0) == pytest.approx(cfg.data_preprocessor.std, abs=1)
