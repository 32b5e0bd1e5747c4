"""A teacher cache of other images or with invalid files is refused in one line."""

import json
import os
import shutil

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmpretrain.datasets import CustomDataset
from mmpretrain.models import ClsDataPreprocessor

from icckd_mm.datasets.digits import Digits
from icckd_mm.datasets.files.fingerprint import image_facts
from icckd_mm.distill.hooks.teacher_cache_hook import TeacherCacheHook
from icckd_mm.distill.teacher_cache import TeacherCache
from icckd_mm.distill.teacher_key import _preprocessor
from tests.test_datasets.layouts import image_folder, picture
from tests.test_distill.cases import algorithm, weights
from tests.test_distill.test_teacher_cache import EXACT, train

READ = [dict(type='LoadImageFromFile'), dict(type='Resize', scale=(8, 8)), dict(type='PackInputs')]
KEY = dict(teacher='a')


def facts(root):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return image_facts(CustomDataset(data_root=str(root), pipeline=[dict(type='PackInputs')]))


def changed(first, second):
    return {name for name in {**first, **second} if first.get(name) != second.get(name)}


def test_each_change_of_a_file_changes_what_is_known_of_the_images(tmp_path):
    root = image_folder(tmp_path / 'a')
    before, victim = facts(root), root / 'dog/2.png'
    shutil.copytree(root, tmp_path / 'copy')  # names, sizes, contents and times
    assert facts(tmp_path / 'copy') == before
    time = victim.stat().st_mtime
    content = victim.read_bytes()
    victim.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))  # of the same size
    os.utime(victim, (time, time))
    assert changed(before, facts(root)) == {'file contents'}
    victim.write_bytes(content)
    os.utime(victim, (time + 5, time + 5))
    assert changed(before, facts(root)) == {'file times'}
    victim.write_bytes(content + b'1')
    os.utime(victim, (time, time))
    assert changed(before, facts(root)) == {'file sizes', 'file contents'}
    victim.write_bytes(content)
    os.utime(victim, (time, time))
    assert facts(root) == before
    victim.rename(root / 'dog/9.png')
    assert 'file names' in changed(before, facts(root))


def test_of_many_files_some_are_read_and_all_are_asked_for_size_and_time(tmp_path, monkeypatch):
    monkeypatch.setattr('icckd_mm.datasets.files.fingerprint.SMALL', 0)
    monkeypatch.setattr('icckd_mm.datasets.files.fingerprint.SAMPLED', 2)
    root = image_folder(tmp_path / 'a')
    before, second = facts(root), root / 'cat/1.png'
    time = second.stat().st_mtime
    second.write_bytes(second.read_bytes()[:-1] + b'x')
    os.utime(second, (time, time))
    assert facts(root) == before  # not one of the two
    os.utime(second, (time + 2, time + 2))
    assert changed(before, facts(root)) == {'file times'}


def test_images_in_memory_count_to_the_last_pixel():
    digits = Digits(scale=8, serialize_data=False, indices=20)
    before = image_facts(digits)
    assert list(before) == ['pixels']
    digits.data_list[13]['img'][-1, -1, -1] ^= 1
    assert changed(before, image_facts(digits)) == {'pixels'}


@pytest.fixture(scope='module')
def teacher(tmp_path_factory):
    return weights(tmp_path_factory.mktemp('teacher') / 'teacher.pth')


def student(work_dir, teacher, root, cache, **options):
    data = dict(type='CustomDataset', data_root=str(root), pipeline=READ)
    loader = dict(batch_size=4, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=True), dataset=data)
    torch.manual_seed(0)
    hook = TeacherCacheHook(str(cache), 'float32')
    options = {**dict(train_dataloader=loader, train_cfg=EXACT), **options}
    return train(work_dir, algorithm(teacher), hooks=[hook], views=1, **options)


def test_other_pixels_under_the_same_names_in_another_folder_are_refused(teacher, tmp_path):
    """Names, labels, config and seed are the same."""
    student(tmp_path / 'run', teacher, image_folder(tmp_path / 'a'), tmp_path / 'cache')
    kept = {path.name: path.read_bytes() for path in (tmp_path / 'cache').iterdir()}
    other = image_folder(tmp_path / 'b')
    picture(other / 'owl/1.png', 200)
    with pytest.raises(ValueError, match=r'holds other logits .*file contents: .* there, .* now') as error:
        student(tmp_path / 'other', teacher, other, tmp_path / 'cache')
    assert '\n' not in str(error.value)
    assert {path.name: path.read_bytes() for path in (tmp_path / 'cache').iterdir()} == kept


@pytest.mark.parametrize('change', [dict(mean=[1, 2, 4]), dict(std=[4, 5, 7]), dict(to_rgb=True), dict(pad_size_divisor=2)])
def test_the_preprocessor_counts_as_it_was_built(change):
    """Its config may stand in the student's, where nobody looked."""
    given = dict(mean=[1, 2, 3], std=[4, 5, 6])
    first, same, other = (ClsDataPreprocessor(**{**given, **more}) for more in ({}, {}, change))
    assert _preprocessor(first) == _preprocessor(same) != _preprocessor(other)


def view(folder, dtype='float16'):
    return TeacherCache(folder, KEY, 4, 3, dtype)


def forged(content):
    """A function that writes an array, or bytes, as the first view."""

    def write(path):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content)

    return write


def header(text):
    """A file of numpy's format with any header."""
    body = text.encode().ljust(117) + b'\n'
    return b'\x93NUMPY\x01\x00' + len(body).to_bytes(2, 'little') + body


GOOD = np.zeros((4, 3), np.float16)
VIEWS = {
    'one column': (np.zeros((4, 1), np.float16), r'holds float16 \(4, 1\), not float16 \(4, 3\)'),
    'seven columns': (np.zeros((4, 7), np.float16), r'holds float16 \(4, 7\)'),
    'fewer rows': (np.zeros((3, 3), np.float16), r'holds float16 \(3, 3\)'),
    'no columns': (np.zeros((4,), np.float16), r'holds float16 \(4,\)'),
    'wider type': (np.zeros((4, 3)), r'holds float64 \(4, 3\)'),
    'other byte order': (np.zeros((4, 3), '>f2'), r'holds >f2 \(4, 3\)'),
    'whole numbers': (np.zeros((4, 3), np.int16), r'holds int16 \(4, 3\)'),
    'objects': (np.array([[os.getpid] * 3] * 4), 'cannot be read'),
    'empty': (b'', 'cannot be read'),
    'text': (b'hello', 'cannot be read'),
    'an archive': (b'PK\x03\x04' + bytes(40), 'cannot be read'),
    'a false length': (header("{'descr': '<f2', 'fortran_order': False, 'shape': (1099511627776, 3)}"), 'cannot be read'),
    'a negative length': (header("{'descr': '<f2', 'fortran_order': False, 'shape': (-4, 3)}"), r'cannot be read|holds'),
    'code': (header("{'descr': '<f2', 'fortran_order': False, 'shape': exit()}"), 'cannot be read'),
    'brackets': (header('(' * 100), 'cannot be read'),
    'no width': (header("{'descr': '|S0', 'fortran_order': False, 'shape': (4, 3)}"), r'cannot be read|holds \|S0'),
}


@pytest.mark.parametrize('name', VIEWS)
def test_a_view_of_something_else_is_refused_and_left_there(name, tmp_path):
    content, message = VIEWS[name]
    cache, path = view(tmp_path), tmp_path / 'view-0000.npy'
    forged(content)(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=message) as error:
        cache.open(0)
    assert str(error.value).startswith(str(path))
    assert str(error.value).endswith('; delete it')
    assert '\n' not in str(error.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize('change', [lambda file: file[:-1], lambda file: file[:100], lambda file: file + b'x'])
def test_a_view_that_is_cut_or_has_more_is_refused(change, tmp_path):
    cache, path = view(tmp_path), tmp_path / 'view-0000.npy'
    np.save(path, GOOD)
    cache.open(0)
    assert cache.read([0]) is not None
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=r'view-0000\.npy (cannot be read|holds 1 bytes after its rows)'):
        view(tmp_path).open(0)


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_a_row_with_one_number_that_is_not_finite_counts_as_not_known(value, tmp_path):
    """So the teacher runs again for its batch; not only where the first column says so."""
    rows = GOOD.copy()
    rows[2, 1] = value
    cache = view(tmp_path)
    np.save(tmp_path / 'view-0000.npy', rows)
    cache.open(0)
    assert cache.read([1, 2]) is None
    assert cache.read([0, 1, 3]) is not None


KEYS = [
    b'{',
    b'',
    b'[]',
    b'null',
    b'"text"',
    b'{"teacher": 1}',
    b'{"teacher": {"a": "b"}}',
    b'\xff\xfe',
    b'[' * 60000,
    b'{"teacher": "' + b'x' * 70000 + b'"}',
]


@pytest.mark.parametrize('content', KEYS, ids=range(len(KEYS)))
def test_a_key_that_cannot_be_read_is_one_line(content, tmp_path):
    view(tmp_path)
    (tmp_path / 'key.json').write_bytes(content)
    with pytest.raises(ValueError, match=r'key\.json cannot be read') as error:
        view(tmp_path)
    assert len(str(error.value)) < 600
    assert f'delete {tmp_path}' in str(error.value)


def test_a_long_value_in_a_key_is_not_printed_in_full(tmp_path):
    view(tmp_path)
    (tmp_path / 'key.json').write_text(json.dumps(dict(teacher='x' * 9000)))
    with pytest.raises(ValueError, match='other logits') as error:
        view(tmp_path)
    assert len(str(error.value)) < 600


def test_a_folder_that_is_a_file_or_a_key_that_is_a_folder_is_one_line(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(ValueError, match=r'cannot write to .*file.*; give another folder'):
        view(tmp_path / 'file')
    (tmp_path / 'cache/key.json').mkdir(parents=True)
    with pytest.raises(ValueError, match=r'key\.json cannot be read'):
        view(tmp_path / 'cache')


def test_what_a_kill_leaves_beside_a_view_is_passed_over(tmp_path):
    """The half of a file under its temporary name."""
    cache = view(tmp_path)
    (tmp_path / 'view-0000.npy.123.partial').write_bytes(b'half')
    (tmp_path / 'view-0000.npy.123').write_bytes(b'half')
    cache.open(0)
    assert cache.read([0]) is None


def test_a_forged_view_stops_a_student_before_a_wrong_step(teacher, tmp_path):
    """(N, 1) was silently broadcast over all classes."""
    root = image_folder(tmp_path / 'a')
    student(tmp_path / 'first', teacher, root, tmp_path / 'cache')
    path = tmp_path / 'cache/view-0000.npy'
    np.save(path, np.load(path)[:, :1])
    with pytest.raises(ValueError, match=r'holds float32 \(12, 1\), not float32 \(12, 10\)'):
        student(tmp_path / 'second', teacher, root, tmp_path / 'cache')
