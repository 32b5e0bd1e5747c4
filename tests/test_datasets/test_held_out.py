import cv2
import numpy as np
import pytest

from icckd_mm.datasets import Digits
from icckd_mm.datasets.held_out import held_out_part, held_out_rows

DIGITS = dict(type='icckd_mm.Digits', scale=8)


def images(dataset):
    return [(int(info['gt_label']), info['img'].tobytes()) for info in map(dataset.get_data_info, range(len(dataset)))]


def test_the_parts_are_disjoint_complete_and_in_the_old_order():
    whole = images(Digits(scale=8))
    kept, held_out = (images(held_out_part(DIGITS, 0.25, held_out=part)) for part in (False, True))
    assert not set(kept) & set(held_out)
    assert sorted(kept + held_out) == sorted(whole)
    for part in (kept, held_out):
        assert part == [image for image in whole if image in set(part)]


def test_each_class_gives_its_share():
    labels = np.array([0] * 40 + [1] * 10 + [2] * 3 + [7] * 2)
    for fraction, counts in ((0.1, [4, 1, 1, 1]), (0.5, [20, 5, 2, 1]), (0.99, [39, 9, 2, 1])):
        rows = held_out_rows(labels, fraction, 0)
        assert [int((labels[rows] == label).sum()) for label in (0, 1, 2, 7)] == counts


def test_the_seed_decides_the_split():
    labels = Digits(scale=8).get_gt_labels()
    first, again, other = (held_out_rows(labels, 0.1, seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert set(first) != set(other)


def test_indices_of_the_data_set_choose_before():
    whole = images(Digits(scale=8, indices=100))
    parts = [images(held_out_part({**DIGITS, 'indices': 100}, 0.2, held_out=part)) for part in (False, True)]
    assert sorted(parts[0] + parts[1]) == sorted(whole)


def test_an_image_folder_is_split(tmp_path):
    for label in ('cat', 'dog'):
        (tmp_path / label).mkdir()
        for number in range(5):
            cv2.imwrite(str(tmp_path / label / f'{number}.png'), np.zeros((8, 8, 3), np.uint8))
    folder = dict(type='CustomDataset', data_root=str(tmp_path))
    assert [held_out_part(folder, 0.2, held_out=part).get_gt_labels().tolist() for part in (False, True)] == [
        [0] * 4 + [1] * 4,
        [0, 1],
    ]
    for number in range(1, 5):
        (tmp_path / 'dog' / f'{number}.png').unlink()
    with pytest.raises(ValueError, match='class 1 has 1 image, of which none can be held out'):
        held_out_part(folder, 0.2)


@pytest.mark.parametrize('fraction', [0, 1, -0.1, 1.5, float('nan')])
def test_a_share_that_leaves_a_part_empty_is_refused(fraction):
    with pytest.raises(ValueError, match='must lie between 0 and 1'):
        held_out_part(DIGITS, fraction)


@pytest.mark.parametrize(
    'dataset',
    [
        dict(type='ConcatDataset', datasets=[DIGITS]),
        dict(type='RepeatDataset', times=2, dataset=dict(type='ConcatDataset', datasets=[DIGITS])),
    ],
)
def test_several_data_sets_in_one_are_refused(dataset):
    with pytest.raises(TypeError, match='from a single data set, got ConcatDataset'):
        held_out_part(dataset, 0.1)


def test_coarse_labels_keep_the_split_of_their_fine_classes():
    groups = [[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]]
    for part in (False, True):
        fine = held_out_part(DIGITS, 0.25, held_out=part)
        coarse = held_out_part(dict(type='icckd_mm.CoarseLabels', dataset=DIGITS, groups=groups), 0.25, held_out=part)
        assert coarse.get_fine_labels().tolist() == fine.get_gt_labels().tolist()
        assert coarse.get_gt_labels().tolist() == (fine.get_gt_labels() % 2).tolist()


def test_images_of_several_classes_are_refused(tmp_path):
    (tmp_path / 'a.json').write_text(
        '{"metainfo": {"classes": ["a", "b"]}, "data_list": [{"img_path": "a", "gt_label": [0, 1]}]}'
    )
    with pytest.raises(TypeError, match='several classes'):
        held_out_part(dict(type='MultiLabelDataset', ann_file=str(tmp_path / 'a.json')), 0.1)
