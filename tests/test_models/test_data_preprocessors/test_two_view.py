import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmpretrain.models import ClsDataPreprocessor
from mmpretrain.structures import DataSample

from icckd_mm.models import TwoViewDataPreprocessor


def samples(count, views):
    rows = []
    for index in range(count):
        images = [torch.randint(256, (3, 8, 8), dtype=torch.uint8) for _ in range(views)]
        rows.append({'inputs': images if views > 1 else images[0], 'data_samples': DataSample().set_gt_label(index % 3)})
    return rows


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
@pytest.mark.parametrize('count', [1, 2, 5])
def test_two_views_become_one_batch_view_1_first(collate, count):
    rows = samples(count, 2)
    processor = TwoViewDataPreprocessor(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0], to_rgb=True)
    data = processor(collate(rows), True)
    assert len(data['data_samples']) == count
    for view in range(2):
        single = [{**row, 'inputs': row['inputs'][view]} for row in rows]
        expected = ClsDataPreprocessor(mean=[1.0, 2.0, 3.0], std=[4.0, 5.0, 6.0], to_rgb=True)(default_collate(single), True)
        torch.testing.assert_close(data['inputs'][view * count : (view + 1) * count], expected['inputs'])


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
@pytest.mark.parametrize('count', [1, 2, 5])
def test_a_single_view_passes_unchanged(collate, count):
    batch = collate(samples(count, 1))
    data, expected = TwoViewDataPreprocessor()(batch), ClsDataPreprocessor()(batch)
    torch.testing.assert_close(data['inputs'], expected['inputs'])
    assert len(data['data_samples']) == count


def test_more_views_are_refused():
    with pytest.raises(ValueError, match='got 3; set num_views=2'):
        TwoViewDataPreprocessor()(default_collate(samples(2, 3)))


@pytest.mark.parametrize('options', [dict(batch_augments=dict(augments=dict(type='Mixup', alpha=1.0))), dict(to_onehot=True)])
def test_mixed_labels_are_refused(options):
    with pytest.raises(ValueError, match='an image with mixed labels belongs to no class'):
        TwoViewDataPreprocessor(**options)


def test_samples_are_repeated_if_asked_and_only_with_two_views():
    processor = TwoViewDataPreprocessor(repeat_samples=True)
    data = processor(default_collate(samples(3, 2)), training=True)
    assert len(data['inputs']) == 6
    assert [sample.gt_label.item() for sample in data['data_samples']] == 2 * [
        s.gt_label.item() for s in data['data_samples'][:3]
    ]
    single = processor(default_collate(samples(3, 1)))
    assert (len(single['inputs']), len(single['data_samples'])) == (3, 3)
