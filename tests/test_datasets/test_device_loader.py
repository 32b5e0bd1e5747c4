import copy

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope

from icckd_mm.datasets.device_loader import DeviceLoader
from tests.helpers import CONV, ICC, NORM, config, pipeline, train

CROP = [dict(type='RandomCrop', crop_size=8, padding=1), dict(type='RandomFlip', prob=0.5), dict(type='PackInputs')]
TWO = [dict(type='MultiView', num_views=2, transforms=[CROP[:2]]), CROP[2]]


def loader(pipeline=CROP, batch_size=8, images=20, **options):
    dataset = dict(type='icckd_mm.Digits', scale=8, indices=images, pipeline=copy.deepcopy(pipeline))
    return DeviceLoader(dataset, batch_size, **options)


def passed(loader, epoch=0, first=0):
    """``{sample_idx: image of each view}`` of a pass."""
    loader.set_position(epoch, first)
    images = {}
    for batch in loader:
        views = batch['inputs'] if isinstance(batch['inputs'], list) else [batch['inputs']]
        for row, sample in enumerate(batch['data_samples']):
            images[sample.sample_idx] = [view[row].clone() for view in views]
    return images


def same(first, second):
    return first.keys() == second.keys() and all(
        map(torch.equal, *zip(*((a, b) for k in first for a, b in zip(first[k], second[k]))))
    )


def test_a_batch_is_what_mmpretrain_expects():
    ours = loader()
    batch = next(iter(ours))
    theirs = ours.collate_fn([ours.dataset[batch['data_samples'][0].sample_idx]])
    assert batch['inputs'].shape[1:] == theirs['inputs'].shape[1:]
    assert batch['inputs'].dtype == theirs['inputs'].dtype == torch.uint8
    for name in ('gt_label', 'sample_idx'):
        assert batch['data_samples'][0].get(name) == theirs['data_samples'][0].get(name)
    assert [len(batch['data_samples']) for batch in ours] == [8, 8, 4]
    assert [len(batch['data_samples']) for batch in loader(drop_last=True)] == [8, 8]
    assert len(next(iter(loader(batch_size=1)))['data_samples']) == 1


def test_without_augmentation_the_images_are_those_of_the_data_set():
    ours = loader([dict(type='PackInputs')])
    for index, (image,) in passed(ours).items():
        assert torch.equal(image, ours.dataset[index]['inputs'])


def windows(image):
    """All windows of the padded image, straight and mirrored, by a loop."""
    padded = np.pad(image, ((1, 1), (1, 1), (0, 0)))
    found = [padded[top : top + 8, left : left + 8] for top in range(3) for left in range(3)]
    return [np.ascontiguousarray(window[:, ::step].transpose(2, 0, 1)) for window in found for step in (1, -1)]


def test_every_window_and_its_mirror_are_equally_likely():
    """The distribution of mmpretrain's RandomCrop and RandomFlip: 9 windows, each mirrored or not; both views independent."""
    ours = loader(TWO, images=100)
    originals = [ours.dataset.get_data_info(index)['img'] for index in range(100)]
    choices = [np.stack(windows(image)) for image in originals]
    usable = [index for index in range(100) if len(np.unique(choices[index], axis=0)) == 18]
    counts = np.zeros((2, 18))
    pairs = np.zeros((18, 18))
    for epoch in range(60):
        images = passed(ours, epoch)
        for index in usable:
            first, second = ((choices[index] == view.numpy()).all(axis=(1, 2, 3)).nonzero()[0] for view in images[index])
            counts[0, first] += 1
            counts[1, second] += 1
            pairs[first, second] += 1
    from scipy.stats import chisquare

    assert len(usable) > 50
    assert all(chisquare(views).pvalue > 1e-3 for views in counts)
    assert chisquare(pairs, axis=None).pvalue > 1e-3


def test_mmpretrains_own_transforms_pass_the_same_test():
    """So that the test above measures what it says."""
    ours = loader(CROP, images=50)
    choices = [np.stack(windows(ours.dataset.get_data_info(index)['img'])) for index in range(50)]
    usable = [index for index in range(50) if len(np.unique(choices[index], axis=0)) == 18]
    counts = np.zeros(18)
    for _ in range(60):
        for index in usable:
            counts[(choices[index] == ours.dataset[index]['inputs'].numpy()).all(axis=(1, 2, 3))] += 1
    from scipy.stats import chisquare

    assert chisquare(counts).pvalue > 1e-3


def test_an_image_depends_on_seed_epoch_index_and_view_alone():
    reference = passed(loader(TWO), epoch=3)
    assert same(reference, passed(loader(TWO, batch_size=3, sampler=dict(type='DefaultSampler', shuffle=False)), epoch=3))
    assert not same(reference, passed(loader(TWO), epoch=4))
    assert not same(reference, passed(loader(TWO, seed=1), epoch=3))
    assert any(not torch.equal(*views) for views in reference.values())


def test_the_order_is_that_of_mmengines_sampler():
    ours = loader()
    ours.set_position(2)
    order = [sample.sample_idx for batch in ours for sample in batch['data_samples']]
    ours.sampler.set_epoch(2)
    assert order == list(ours.sampler)
    assert order != sorted(order)


def test_a_pass_from_the_middle():
    whole, rest = passed(loader(), epoch=1), passed(loader(), epoch=1, first=2)
    assert len(rest) == 4
    assert all(torch.equal(image[0], whole[index][0]) for index, image in rest.items())


def test_data_set_wrappers_and_cifar_sized_images():
    inner = dict(type='icckd_mm.Digits', scale=12, pipeline=[dict(type='RandomCrop', crop_size=8), CROP[2]])
    ours = DeviceLoader(dict(type='icckd_mm.ClassMap', classes=['3', '5'], dataset=inner), 16)
    batch = next(iter(ours))
    assert batch['inputs'].shape == (16, 3, 8, 8)
    assert {int(sample.gt_label) for sample in batch['data_samples']} == {0, 1}


@pytest.mark.parametrize(
    ('pipeline', 'message'),
    [
        ([dict(type='ColorJitter', hue=0.1)], 'does not support ColorJitter, only RandomCrop'),
        ([dict(type='RandomCrop', crop_size=8, padding_mode='reflect')], 'does not support RandomCrop with padding_mode'),
        ([dict(type='RandomCrop', crop_size=(8, 9))], 'crop_size as one whole number of pixels, got'),
        ([dict(type='RandomFlip', prob=0.5, direction='vertical')], "horizontally only, got direction='vertical'"),
        ([dict(type='MultiView', num_views=3, transforms=[CROP[:1]])], 'got num_views=3'),
        ([dict(type='RandomCrop', padding=1)], 'needs crop_size of RandomCrop, which is missing'),
        ([dict(type='MultiView', num_views=2)], 'needs transforms of MultiView, which is missing'),
        ([dict(type='MultiView', num_views=2, transforms=[3])], 'transforms of MultiView as a list of dicts with a type'),
        (['RandomFlip'], 'the pipeline as a list of dicts with a type'),
        ([dict(type='RandomCrop', crop_size=True)], 'crop_size as one whole number of pixels, got True'),
        ([dict(type='RandomFlip', prob=True)], 'as a number from 0 to 1, got True'),
        ([dict(crop_size=8)], 'the pipeline as a list of dicts with a type'),
        ([dict(type='RandomCrop', crop_size=11, padding=1)], 'are too small for a crop of 11'),
    ],
)
def test_what_it_cannot_do_is_refused(pipeline, message):
    with pytest.raises(ValueError, match=message):
        loader(pipeline)
    with pytest.raises(ValueError, match='batch_size must be a whole number of at least 1, got 0'):
        loader(batch_size=0)


def device_config(views):
    dataset = dict(type='icckd_mm.Digits', scale=8, indices=32, pipeline=pipeline(views, 8))
    return dict(type='icckd_mm.DeviceLoader', batch_size=8, dataset=dataset)


def test_a_teacher_trains_and_resumes_exactly_with_it(tmp_path):
    from icckd_mm.engine.exact.checkpoint_difference import checkpoint_differences

    options = dict(
        train_dataloader=device_config(2),
        default_hooks=dict(checkpoint=dict(type='icckd_mm.ExactCheckpointHook', interval=1)),
        model=dict(CONV, data_preprocessor=dict(type='icckd_mm.TwoViewDataPreprocessor', **NORM)),
    )
    for folder, epochs in (('straight', 2), ('split', 1), ('split', 2)):
        loop = dict(type='icckd_mm.ExactTrainLoop', max_epochs=epochs)
        _, steps = train(tmp_path / folder, hooks=(ICC,), train_cfg=loop, resume=epochs == 2 and folder == 'split', **options)
    files = [torch.load(tmp_path / folder / 'epoch_2.pth', weights_only=True) for folder in ('straight', 'split')]
    assert checkpoint_differences(*files) == []
    assert 'loss_icc' in steps[0]


def test_another_type_of_loader_is_refused(tmp_path):
    loop = dict(type='icckd_mm.ExactTrainLoop', max_epochs=1)
    with pytest.raises(ValueError, match=r"train_dataloader\.type is 'DataLoader'; give 'icckd_mm\.DeviceLoader'"):
        train(tmp_path, train_cfg=loop, train_dataloader=dict(config(tmp_path).train_dataloader, type='DataLoader'))


def shard(epoch):
    """What this process draws; 20 images on two processes."""
    DefaultScope.get_instance('test-device-loader', scope_name='mmpretrain')
    return {index: views[0] for index, views in passed(loader(), epoch).items()}


def test_two_processes_share_the_images_of_one(processes):
    """Every image once, as one process draws it."""
    first, second = processes.run(shard, 1)
    whole = shard(1)
    assert first.keys() | second.keys() == whole.keys()
    assert not first.keys() & second.keys()
    assert all(torch.equal(image, whole[index]) for part in (first, second) for index, image in part.items())


def test_joined_data_sets_need_one_pipeline():
    parts = [dict(type='icckd_mm.Digits', indices=4, pipeline=[*steps, dict(type='PackInputs')]) for steps in ([], [FLIP])]
    with pytest.raises(ValueError, match='the data sets that ConcatDataset joins have different pipelines; give all the same'):
        DeviceLoader(dict(type='ConcatDataset', datasets=parts), batch_size=2)


FLIP = dict(type='RandomFlip', prob=0.5)
