"""Whole batches of strong views: each transform is that of mmpretrain for one image, and so is what is drawn."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.registry import TRANSFORMS, DefaultScope
from scipy.stats import ks_2samp, kstest

from icckd_mm.datasets.batch_pipeline import read_pipeline
from icckd_mm.datasets.device_loader import DeviceLoader
from icckd_mm.datasets.strong_batches import ORDERS, draw
from icckd_mm.datasets.strong_view import strong_transforms, with_strong_positive
from icckd_mm.functional.tensor.colour_jitter import greyed, jitter_colours
from icckd_mm.functional.tensor.resized_crop import resized_crop

SIZE = 16
WEAK = [dict(type='RandomCrop', crop_size=SIZE, padding=2), dict(type='RandomFlip', prob=0.5)]
PIPELINE = with_strong_positive(
    [dict(type='MultiView', num_views=2, transforms=[WEAK]), dict(type='PackInputs')],
)
VIEW = read_pipeline(PIPELINE).strong


def pictures(count, high=SIZE, wide=SIZE):
    return np.random.default_rng(0).integers(0, 256, (count, high, wide, 3), dtype=np.uint8)


def theirs(config, images, attribute, values):
    """What a transform of mmpretrain or mmcv makes of each image with what it should have drawn."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        transform = TRANSFORMS.build(config)
    found = []
    for image, value in zip(images, values):
        setattr(transform, attribute, lambda *_, value=value: value)
        found.append(transform(dict(img=image.copy()))['img'])
    return np.stack(found)


def test_a_crop_is_resized_as_mmpretrain_does():
    """Every place and size in images that are not square; OpenCV's fixed-point numbers may round to the other side."""
    rectangles = [(t, lft, h, w) for h in (1, 3, 7, 12) for w in (1, 4, 9, 16) for t in (0, 12 - h) for lft in (0, 16 - w)]
    images = pictures(len(rectangles), 12, 16)
    expected = theirs(dict(type='RandomResizedCrop', scale=SIZE), images, 'rand_crop_params', rectangles)
    found = resized_crop(torch.from_numpy(images), *torch.tensor(rectangles).unbind(1), SIZE).numpy()
    difference = np.abs(found.astype(int) - expected)
    assert difference.max() <= 1
    assert (difference == 0).mean() > 0.9


def test_colours_change_as_mmpretrain_changes_them_to_the_bit():
    images = pictures(60)
    images[:20] //= 8  # dark pictures, where a rounded number counts
    factors = np.random.default_rng(1).uniform(0, 2, (60, 3)).astype(np.float32)
    factors[::6] = 1
    orders = [ORDERS[number % 6] for number in range(60)]
    drawn = [([*order, 3], *map(float, row), None) for order, row in zip(orders, factors)]
    jitter = dict(type='ColorJitter', brightness=1.0, contrast=1.0, saturation=1.0)
    expected = theirs(jitter, images, '_rand_params', drawn)
    found = jitter_colours(torch.from_numpy(images), torch.from_numpy(factors), torch.tensor(orders))
    assert np.array_equal(found.numpy(), expected)


def test_grey_is_that_of_mmcv_to_the_bit():
    images, chosen = pictures(20), np.arange(20) % 3 == 0
    grey = strong_transforms(SIZE)[-1]
    expected = theirs(grey, images, '_random_prob', [0.0 if one else 0.9 for one in chosen])
    found = greyed(torch.from_numpy(images), grey['channel_weights'], torch.from_numpy(chosen))
    assert np.array_equal(found.numpy(), expected)


@pytest.mark.parametrize('sides', [(16, 16), (12, 40)])
def test_rectangles_have_the_distribution_of_mmpretrain(sides):
    """Kolmogorov-Smirnov, each number alone; in the second kind of image most attempts fail."""
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        transform = TRANSFORMS.build(strong_transforms(SIZE)[0])
    image = np.zeros((*sides, 3), np.uint8)
    np.random.seed(0)
    expected = np.array([transform.rand_crop_params(image) for _ in range(3000)])
    drawn = draw(VIEW, sides, (0, 0, torch.arange(3000), 1))
    for number, found in enumerate((drawn.tops, drawn.lefts, drawn.heights, drawn.widths)):
        assert ks_2samp(found.numpy(), expected[:, number], method='asymp').pvalue > 1e-3
    assert bool(((drawn.tops + drawn.heights <= sides[0]) & (drawn.lefts + drawn.widths <= sides[1])).all())


def test_the_rest_has_the_probabilities_of_the_pipeline():
    drawn = draw(VIEW, (SIZE, SIZE), (0, 0, torch.arange(20000), 1))
    jittered = (drawn.factors != 1).all(1)
    for found, probability in ((drawn.flips, 0.5), (jittered, 0.8), (drawn.greys, 0.2)):
        assert float(found.double().mean()) == pytest.approx(probability, abs=0.02)
    assert kstest(drawn.factors[jittered].flatten(), 'uniform', (0.6, 0.8)).pvalue > 1e-3
    assert not (drawn.factors[~jittered] != 1).any()
    counts = np.unique([ORDERS.index(tuple(order)) for order in drawn.order.tolist()], return_counts=True)[1]
    assert counts.min() > 0.9 * 20000 / 6


def loader(pipeline=PIPELINE, **options):
    dataset = dict(type='icckd_mm.Digits', scale=SIZE, indices=20, pipeline=pipeline)
    return DeviceLoader(dataset, 8, **options)


def test_a_loader_gives_a_weak_and_a_strong_view():
    """The weak one is that of two equal views; the strong one depends on seed, epoch and index alone."""
    equal = [dict(type='MultiView', num_views=2, transforms=[WEAK]), dict(type='PackInputs')]

    def views(ours, epoch=1):
        ours.set_position(epoch)
        return {
            sample.sample_idx: [view[row] for view in batch['inputs']]
            for batch in ours
            for row, sample in enumerate(batch['data_samples'])
        }

    found, plain = views(loader()), views(loader(equal))
    order = views(loader(sampler=dict(type='DefaultSampler', shuffle=False)))
    assert found.keys() == plain.keys() == order.keys()
    for index, (weak, strong) in found.items():
        assert torch.equal(weak, plain[index][0])
        assert torch.equal(strong, order[index][1])
        assert strong.shape == (3, SIZE, SIZE)
    assert sum(not torch.equal(strong, views(loader(seed=1))[index][1]) for index, (_, strong) in found.items()) > 10


def test_the_strong_views_of_a_loader_look_like_those_of_single_images():
    """Mean and spread of the pixels of each image over 200 draws, to 4 standard errors."""
    ours = loader()
    found = []
    for epoch in range(200):
        ours.set_position(epoch)
        found += [
            batch['inputs'][1][[sample.sample_idx for sample in batch['data_samples']].index(3)].double().mean()
            for batch in ours
            if 3 in [sample.sample_idx for sample in batch['data_samples']]
        ]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        single = Compose(strong_transforms(SIZE))
    image = ours.dataset.get_data_info(3)['img']
    expected = [single(dict(img=image.copy()))['img'].mean() for _ in range(200)]
    error = np.hypot(np.std(found), np.std(expected)) / np.sqrt(200)
    assert abs(np.mean(found) - np.mean(expected)) < 4 * error
    assert np.std(found) == pytest.approx(np.std(expected), rel=0.3)


CROP = dict(type='RandomResizedCrop', scale=SIZE)
JITTER = dict(type='RandomApply', prob=0.8, transforms=[dict(type='ColorJitter', brightness=0.4)])


@pytest.mark.parametrize(
    ('strong', 'message'),
    [
        ([JITTER, CROP], 'makes a second view by RandomResizedCrop, then some of RandomFlip'),
        ([JITTER], 'makes a second view by RandomResizedCrop'),
        ([CROP, JITTER, JITTER], 'each once and in this order; got RandomResizedCrop, RandomApply, RandomApply'),
        ([dict(CROP, backend='pillow')], 'does not support RandomResizedCrop with backend'),
        ([dict(CROP, scale=(16, 8))], 'scale as one whole number of pixels'),
        ([dict(CROP, scale=8)], 'two views of one size, got crop_size=16 and scale=8'),
        ([CROP, dict(JITTER, transforms=[dict(type='ColorJitter', hue=0.1)])], 'does not support ColorJitter with hue'),
        ([CROP, dict(JITTER, transforms=[dict(type='ColorJitter', contrast=(0, 1))])], 'contrast of ColorJitter as a number'),
        ([CROP, dict(JITTER, transforms=[dict(type='Solarize', thr=3)])], 'does not support Solarize'),
        ([CROP, dict(type='RandomGrayscale', prob=0.2)], 'RandomGrayscale with keep_channels=True'),
        ([CROP, dict(type='RandomFlip', prob=2)], 'prob of RandomFlip as a number from 0 to 1, got 2'),
        ([dict(CROP, crop_ratio_range=(1.0, 0.3))], 'crop_ratio_range as two numbers above 0, the smaller first'),
        ([CROP, dict(type='RandomApply')], 'needs transforms of RandomApply, which is missing'),
        ([CROP, dict(type='RandomApply', transforms=['grey'])], 'transforms of RandomApply as a list of dicts'),
        ([CROP, dict(type='RandomGrayscale', keep_channels=True, channel_weights=(1, 2))], 'as three numbers, got'),
        ([dict(type='RandomResizedCrop')], 'needs scale of RandomResizedCrop, which is missing'),
    ],
)
def test_other_second_views_are_refused(strong, message):
    views = dict(type='MultiView', num_views=[1, 1], transforms=[WEAK, strong])
    with pytest.raises(ValueError, match=message):
        read_pipeline([views, dict(type='PackInputs')])


def test_what_both_views_share_is_refused_and_defaults_are_those_of_mmcv():
    views = dict(
        type='MultiView', num_views=[1, 1], transforms=[WEAK, [CROP, dict(type='RandomGrayscale', keep_channels=True)]]
    )
    assert read_pipeline([views]).strong.grey == 0.1
    with pytest.raises(ValueError, match='move crop and flip into it'):
        read_pipeline([dict(type='RandomFlip', prob=0.5), views])


def test_an_image_of_one_channel_is_refused(tmp_path):
    import cv2

    for name in ('a', 'b'):
        (tmp_path / name).mkdir()
        cv2.imwrite(str(tmp_path / name / '0.png'), np.zeros((16, 16), np.uint8))
    load = dict(type='LoadImageFromFile', color_type='grayscale')
    dataset = dict(type='CustomDataset', data_root=str(tmp_path), pipeline=[load, *PIPELINE])
    with DefaultScope.overwrite_default_scope('mmpretrain'), pytest.raises(ValueError, match='needs images of three channels'):
        DeviceLoader(dataset, 2)
