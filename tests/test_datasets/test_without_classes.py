"""A data set without some classes whose labels still count them."""

import numpy as np
import pytest

from icckd_mm.datasets import Digits
from icckd_mm.datasets.without_classes import without_classes

DIGITS = dict(type='icckd_mm.Digits', scale=8)


def test_only_the_images_of_the_named_classes_are_missing():
    whole, part = Digits(scale=8), without_classes(DIGITS, ['3', '9'])
    expected = np.bincount(whole.get_gt_labels(), minlength=10)
    expected[[3, 9]] = 0
    assert np.bincount(part.get_gt_labels(), minlength=10).tolist() == expected.tolist()
    assert part.metainfo['classes'] == whole.metainfo['classes']


def test_coarse_labels_around_it_lose_the_fine_class():
    groups = [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    part = without_classes(dict(type='icckd_mm.CoarseLabels', dataset=DIGITS, groups=groups), ['3'])
    assert 3 not in part.get_fine_labels()
    assert set(part.get_gt_labels()) == {0, 1}


@pytest.mark.parametrize('classes', ['3', [], ['three'], [str(label) for label in range(10)]])
def test_what_leaves_no_choice_is_refused(classes):
    with pytest.raises(ValueError, match=r'must be a list of some of|no image remains'):
        without_classes(DIGITS, classes)
