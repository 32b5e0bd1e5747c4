import numpy as np
import pytest
from mmengine.logging import MMLogger

from icckd_mm.datasets import RandomImages


def test_has_the_size_and_the_classes_asked_for():
    data = RandomImages(num_images=7, size=12, num_classes=3)
    assert len(data) == 7
    assert data.get_gt_labels().tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert len(data.metainfo['classes']) == 3
    assert all(row['img'].shape == (12, 12, 3) and row['img'].dtype == np.uint8 for row in data)


def test_images_differ_but_are_the_same_in_every_run():
    first, again, other = (RandomImages(4, 8, 2, seed=seed) for seed in (0, 0, 1))
    assert np.array_equal(first[3]['img'], again[3]['img'])
    assert not np.array_equal(first[3]['img'], other[3]['img'])
    assert len({row['img'].tobytes() for row in first}) == 4


def test_goes_through_mmpretrains_pipelines():
    crop = dict(type='RandomCrop', crop_size=8, padding=1)
    assert RandomImages(2, 8, 2, pipeline=[crop, dict(type='PackInputs')])[0]['inputs'].shape == (3, 8, 8)


def test_says_that_it_is_noise(monkeypatch):
    said = []
    monkeypatch.setattr(MMLogger.get_current_instance(), 'warning', lambda text, *args: said.append(text % args))
    RandomImages(5, 8, 2)
    assert len(said) == 1
    assert 'RANDOM NOISE, NOT DATA: 5 generated images of 2 classes' in said[0]


@pytest.mark.parametrize('sizes', [(0, 8, 2), (4, 0, 2), (4, 8, 0), (4, 8.5, 2)])
def test_bad_numbers_are_named(sizes):
    with pytest.raises(ValueError, match='must be a positive integer, got'):
        RandomImages(*sizes)
