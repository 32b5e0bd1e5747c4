import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from icckd_mm.registry import MODELS
from tests.helpers import NORM


def build():
    return MODELS.build(dict(type='icckd_mm.RotationDataPreprocessor', **NORM))


def batch(images=3, height=6, width=6):
    inputs = torch.randint(256, (images, 3, height, width), dtype=torch.uint8)
    return dict(inputs=inputs, data_samples=[DataSample().set_gt_label(i) for i in range(images)])


@pytest.mark.parametrize('as_list', [False, True])
def test_rows_are_the_quarter_turns_image_by_image(as_list):
    """Against numpy's rotation; both collate functions."""
    data = batch()
    images = ((data['inputs'].float() - 78) / 82).numpy()
    if as_list:
        data['inputs'] = list(data['inputs'])
    out = build()(data, True)
    assert out['inputs'].shape == (12, 3, 6, 6)
    for n, row in enumerate(out['inputs']):
        np.testing.assert_allclose(row.numpy(), np.rot90(images[n // 4], n % 4, axes=(1, 2)), rtol=1e-5)
    assert [int(sample.gt_label) for sample in out['data_samples']] == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]


def test_outside_training_it_is_the_plain_preprocessor():
    data = batch(height=4)
    out = build()(data, False)
    torch.testing.assert_close(out['inputs'], (data['inputs'].float() - 78) / 82)
    assert len(out['data_samples']) == 3


def test_images_must_be_square():
    with pytest.raises(ValueError, match=r'only square images .* got \(4, 6\)'):
        build()(batch(height=4), True)
