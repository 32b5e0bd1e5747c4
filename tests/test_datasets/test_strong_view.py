"""A strong second view beside a weak first one."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from icckd_mm.datasets.strong_view import strong_transforms, with_strong_positive

BASES = Path(__file__).parents[2] / 'configs/_base_/datasets'
CROP = dict(type='RandomCrop', crop_size=16, padding=2)
PACK = dict(type='PackInputs')


def two_views(*transforms):
    return [dict(type='MultiView', num_views=2, transforms=[list(transforms)]), PACK]


def test_the_first_view_stays_weak_and_the_second_changes_colours():
    """Of a picture of two colours, crop and flip give these two alone."""
    picture = np.zeros((16, 16, 3), np.uint8)
    picture[:, :8] = (200, 100, 50)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        pipeline = Compose(with_strong_positive(two_views(CROP)))
        found = [pipeline(dict(img=picture, gt_label=0))['inputs'] for _ in range(12)]
    weak, strong = (torch.stack([views[number] for views in found]) for number in (0, 1))
    assert weak.shape == strong.shape == (12, 3, 16, 16)
    colours = lambda views: {tuple(pixel) for pixel in views.permute(0, 2, 3, 1).reshape(-1, 3).tolist()}  # noqa: E731
    assert colours(weak) == {(0, 0, 0), (200, 100, 50)}
    assert len(colours(strong)) > 10


@pytest.mark.parametrize(('name', 'size'), [('cifar10', 32), ('image_folder', 224)])
def test_the_parts_of_configs_have_the_same_views(name, size):
    strong, base = (Config.fromfile(BASES / f'{name}{suffix}.py') for suffix in ('_strong_positive', ''))
    (step,) = [step for step in strong.train_dataloader.dataset.pipeline if step.type == 'MultiView']
    weak, second = (view.to_dict() if hasattr(view, 'to_dict') else list(map(dict, view)) for view in step.transforms)
    assert step.num_views == [1, 1]
    assert weak == [dict(one) for one in base.train_pipeline if one.type not in ('PackInputs', 'LoadImageFromFile')]
    assert second == strong_transforms(size)
    assert strong.data_preprocessor.type == 'icckd_mm.TwoViewDataPreprocessor'


def test_what_cannot_have_a_strong_view_is_named():
    with pytest.raises(ValueError, match='needs one MultiView'):
        with_strong_positive([CROP, PACK])
    with pytest.raises(ValueError, match='has none'):
        with_strong_positive(two_views(dict(type='RandomFlip', prob=0.5)))
    pipeline = two_views(CROP)
    with_strong_positive(pipeline)
    assert pipeline == two_views(CROP)
