import numpy as np
import pytest

from icckd_mm.datasets import DeviceLoader, ImageArrays

GOOD = dict(
    train_images=np.arange(4 * 8 * 8 * 3).astype(np.uint8).reshape(4, 8, 8, 3),
    train_labels=np.array([0, 1, 1, 0]),
    classes=np.array(['cat', 'dog']),
)


@pytest.fixture
def file(tmp_path):
    def write(**changes):
        arrays = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
        np.savez(tmp_path / 'images.npz', **arrays)
        return str(tmp_path / 'images.npz')

    return write


def test_gives_the_images_of_the_split_and_feeds_the_device_loader(file):
    data = ImageArrays(file(), pipeline=[])
    assert [np.array_equal(row['img'], image) for row, image in zip(data, GOOD['train_images'])] == [True] * 4
    assert data.get_gt_labels().tolist() == [0, 1, 1, 0]
    assert data.metainfo['classes'] == ('cat', 'dog')
    config = dict(type='icckd_mm.ImageArrays', file=file(), pipeline=[dict(type='PackInputs')])
    loader = DeviceLoader(config, batch_size=4, sampler=dict(type='DefaultSampler', shuffle=False))
    (batch,) = loader
    assert np.array_equal(batch['inputs'].permute(0, 2, 3, 1).numpy(), GOOD['train_images'])


@pytest.mark.parametrize(
    ('changes', 'named'),
    [
        (dict(train_labels=None), 'train_labels'),
        (dict(train_images=GOOD['train_images'].astype(float)), 'uint8'),
        (dict(train_labels=np.zeros(3, int)), 'shape'),
        (dict(train_labels=np.array([0, 1, 2, 0])), 'from 0 to 2, there are 2 classes'),
        (dict(classes=np.array([1, 2])), 'names'),
        (dict(classes=np.array([{}], dtype=object)), 'npz'),
    ],
)
def test_a_file_that_does_not_fit_is_refused(file, changes, named):
    with pytest.raises(ValueError, match=named):
        ImageArrays(file(**changes))


def test_another_file_is_refused(tmp_path):
    (tmp_path / 'images.npz').write_bytes(b'PK\x03\x04 and no more')
    with pytest.raises(ValueError, match='npz'):
        ImageArrays(str(tmp_path / 'images.npz'))
