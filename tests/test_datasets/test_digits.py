import numpy as np
import pytest
from sklearn.datasets import load_digits

from icckd_mm.datasets import Digits


def test_split_is_fixed_stratified_and_complete():
    train, test = Digits(split='train'), Digits(split='test')
    assert (len(train), len(test)) == (1437, 360)
    share = np.bincount(train.get_gt_labels()) / np.bincount(test.get_gt_labels())
    assert np.all(np.abs(share - 1437 / 360) < 0.2)
    seen = {row['img'].tobytes() for data in (Digits('train', scale=8), Digits('test', scale=8)) for row in data}
    assert len(seen) == len({image.tobytes() for image in load_digits().images})
    assert np.array_equal(Digits(split='test')[17]['img'], test[17]['img'])


def test_images_are_uint8_rgb_of_the_wanted_size_over_the_full_range():
    for scale in (8, 16, 32):
        image = Digits(scale=scale)[0]['img']
        assert image.dtype == np.uint8
        assert image.shape == (scale, scale, 3)
        assert np.array_equal(image[..., 0], image[..., 2])
    assert max(row['img'].max() for row in Digits(scale=8)) == 255


def test_at_scale_8_the_pixels_are_those_of_scikit_learn():
    first = Digits('train', scale=8)[0]
    originals = [image for image, label in zip(load_digits().images, load_digits().target) if label == first['gt_label']]
    assert any(np.array_equal(np.rint(image * 255 / 16), first['img'][..., 0]) for image in originals)


def test_has_class_names_and_mmpretrain_options():
    assert tuple('0123456789') == Digits().CLASSES
    assert len(Digits(indices=10)) == 10


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="'train' or 'test', got 'val'"):
        Digits(split='val')
    with pytest.raises(ValueError, match='at least 8 pixels'):
        Digits(scale=4)
