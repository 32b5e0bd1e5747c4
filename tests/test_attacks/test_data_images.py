"""A file that is not a complete image is named, wherever it is read, and takes little memory."""

import struct
import zlib

import cv2
import numpy as np
import pytest
from mmengine.registry import DATASETS, DefaultScope
from mmengine.runner import Runner

from icckd_mm.datasets.device_loader import DeviceLoader
from icckd_mm.datasets.files.smaller_images import smaller
from icckd_mm.datasets.repeatable import RepeatableLoader
from tests.helpers import train
from tests.test_datasets.layouts import image_folder

READ = [dict(type='LoadImageFromFile'), dict(type='PackInputs')]


def encoded(extension, side=64, *options):
    pixels = np.random.default_rng(0).integers(256, size=(side, side, 3), dtype=np.uint8)
    return cv2.imencode(extension, pixels, list(options))[1].tobytes()


def chunk(kind, body):
    return struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))


def bomb(side=30_000):
    """A valid PNG with one bit per pixel, 110 KB long."""
    rows = zlib.compressobj()
    row = bytes(1 + (side + 7) // 8)
    data = b''.join([rows.compress(row * 100) for _ in range(side // 100)] + [rows.flush()])
    head = struct.pack('>IIBBBBB', side, side, 1, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', data) + chunk(b'IEND', b'')


JPEG, PNG = encoded('.jpg'), encoded('.png')
PROGRESSIVE = encoded('.jpg', 64, cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
BAD = {
    'empty': (b'', 'it is empty'),
    'text': (b'not an image at all\n' * 9, 'OpenCV cannot decode it'),
    'cut JPEG': (JPEG[: len(JPEG) // 2], 'it is cut off'),
    'JPEG without its end': (JPEG[:-2], 'it is cut off'),
    'cut progressive JPEG': (PROGRESSIVE[: len(PROGRESSIVE) * 3 // 4], 'it is cut off'),
    'cut PNG': (PNG[: len(PNG) // 2], 'it is cut off'),
    'head of a JPEG': (JPEG[:3], 'OpenCV cannot decode it|header is damaged'),
    'head of a PNG': (PNG[:20], 'OpenCV cannot decode it|header is damaged'),
    'a PNG of 900 million pixels': (bomb(), 'it is too large'),
    'a false size': (PNG[:16] + b'\xff\xff\xff\xff' * 2 + PNG[24:], 'it is too large|header is damaged|cannot decode'),
}


@pytest.fixture(params=BAD)
def broken(request, tmp_path):
    """A folder with one bad file, its path, and what is said of it."""
    content, reason = BAD[request.param]
    root = image_folder(tmp_path / 'data')
    path = root / 'dog/2.png'
    path.write_bytes(content)
    return root, path, reason


def loader(root, workers=0):
    dataset = dict(type='CustomDataset', data_root=str(root), pipeline=READ)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return Runner.build_dataloader(
            dict(batch_size=4, num_workers=workers, sampler=dict(type='DefaultSampler', shuffle=False), dataset=dataset)
        )


def test_a_bad_file_is_named_by_the_data_loader(broken):
    root, path, reason = broken
    with pytest.raises(ValueError, match=f'{path} cannot be read as an image: .*({reason})') as error:
        list(RepeatableLoader(loader(root), seed=0))
    assert '\n' not in str(error.value)


def test_a_bad_file_is_named_by_the_device_loader(broken):
    root, path, reason = broken
    with pytest.raises(ValueError, match=f'{path} cannot be read as an image: .*({reason})'):
        DeviceLoader(dict(type='mmpretrain.CustomDataset', data_root=str(root), pipeline=READ), batch_size=4)


def test_a_bad_file_is_named_when_a_data_set_is_cut(broken):
    _, path, _ = broken
    with pytest.raises(ValueError, match=f'{path}.*; unpack the archive again'):
        smaller(path, 8)


def test_a_worker_names_it_too(tmp_path):
    root = image_folder(tmp_path / 'data')
    (root / 'owl/0.png').write_bytes(b'')
    with pytest.raises(ValueError, match=r'owl/0\.png cannot be read as an image: it is empty; replace or remove'):
        list(loader(root, workers=1))


def test_a_training_ends_with_its_name(tmp_path):
    root = image_folder(tmp_path / 'data')
    (root / 'owl/0.png').write_bytes(JPEG[:-900])
    data = dict(type='CustomDataset', data_root=str(root), pipeline=READ)
    options = dict(batch_size=12, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True), dataset=data)
    with pytest.raises(ValueError, match=r'owl/0\.png cannot be read as an image: it is cut off'):
        train(tmp_path / 'run', hooks=[], views=1, train_dataloader=options)


def test_ignore_empty_still_passes_over_them(tmp_path):
    root = image_folder(tmp_path / 'data')
    (root / 'owl/0.png').write_bytes(b'')
    pipeline = [dict(type='LoadImageFromFile', ignore_empty=True), dict(type='PackInputs')]
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = DATASETS.build(dict(type='CustomDataset', data_root=str(root), pipeline=pipeline))
    assert dataset.prepare_data(8) is None
    assert dataset.prepare_data(9) is not None


WHOLE = [JPEG, PNG, PROGRESSIVE, *map(encoded, ('.bmp', '.tif', '.ppm', '.webp'))]


@pytest.mark.parametrize('content', WHOLE, ids=range(len(WHOLE)))
@pytest.mark.parametrize('tail', [b'', b'\0' * 9, b'made by a camera' * 99])
def test_whole_images_are_read_to_the_same_pixels(content, tail, tmp_path):
    """Also with bytes after their end, as some cameras leave them."""
    path = tmp_path / 'a/image.png'
    path.parent.mkdir()
    path.write_bytes(content + tail)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        dataset = DATASETS.build(dict(type='CustomDataset', data_root=str(tmp_path), pipeline=READ[:1]))
    expected = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(dataset[0]['img'], expected)


def test_a_bomb_of_a_hundred_kilobytes_takes_no_memory(tmp_path):
    """OpenCV would allocate 2.7 GB outside of Python; the high-water mark of the process tells."""
    resource = pytest.importorskip('resource')
    content = bomb()
    assert len(content) < 2**18
    root = image_folder(tmp_path / 'data')
    (root / 'cat/0.png').write_bytes(content)
    batches = RepeatableLoader(loader(root), seed=0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match='too large'):
        next(iter(batches))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024  # kilobytes
