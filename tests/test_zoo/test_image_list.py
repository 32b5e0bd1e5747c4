"""A published folder carries the list of its held-out images; what the list says stays below the images."""

import os

import pytest

from icckd_mm.compose import compose
from icckd_mm.config.command_line import build_runner
from icckd_mm.zoo.image_list import LIST, check_list, list_to_carry
from icckd_mm.zoo.publish import publish
from icckd_mm.zoo.verify import verify
from tests.test_compose.conftest import pictures


@pytest.fixture(scope='module')
def published(tmp_path_factory):
    """A published run on the held-out split of a folder, far from where it was composed, and the images."""
    root = tmp_path_factory.mktemp('held_out')
    names = [' blue  tit', 'зяблик', 'owl\u200d']  # spaces and joiners
    images = pictures(root / 'birds', names, images=6, side=16)
    done = compose('resnet8', 'resnet8', str(images), 'ce,kd', out=root / 'mine', epochs=1, batch=4, say=lambda line: None)
    cfg = done.teacher
    cfg.work_dir, cfg.launcher = str(root / 'run'), 'none'
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].update(num_workers=0, persistent_workers=False)
    build_runner(cfg).train()
    checks = publish(root / 'run', root / 'entry', list_it=False)
    assert checks[-1][0] == 'metrics'
    assert (root / 'entry' / LIST).read_bytes() == (root / 'mine/val.txt').read_bytes()
    for name in ('val.txt', 'train.txt'):
        (root / 'mine' / name).unlink()
    return root / 'entry', images


def checked(published, **places):
    return verify(published[0], places={'data_root': str(published[1])})[-1]


def test_the_metrics_are_measured_on_the_held_out_images(published):
    what, passed, detail = checked(published)
    assert (what, passed) == ('metrics', True)
    assert detail.endswith('on 3 images')


BAD = [
    b'../birds/a.png 0',
    b'/etc/passwd 0',
    b'http://a/b.png 0',
    b'a.png 9999999999',
    b'a.png x',
    b'a.png',
    b'a 0\n\nb 0',
    b'\xff 0',
]


@pytest.mark.parametrize('content', BAD)
def test_a_list_that_leads_elsewhere_is_refused(published, content):
    path = published[0] / LIST
    good = path.read_bytes()
    try:
        path.write_bytes(content + b'\n')
        what, passed, detail = checked(published)
    finally:
        path.write_bytes(good)
    assert (what, passed) == ('config', False)
    assert 'line ' in detail or 'UnicodeDecodeError' in detail
    assert 'passwd' not in detail


def test_a_list_that_is_a_link_is_refused(published, tmp_path):
    path = published[0] / LIST
    os.replace(path, tmp_path / 'kept')
    try:
        path.symlink_to(tmp_path / 'kept')
        assert checked(published)[2] == f'ValueError: {LIST} is a link; publish the run again'
    finally:
        os.replace(tmp_path / 'kept', path)


def test_only_lists_outside_the_data_and_of_paths_below_it_are_carried(tmp_path):
    (tmp_path / 'good.txt').write_text('a/1.png 0\n')
    (tmp_path / 'bad.txt').write_text('/home/a/1.png 0\n')
    data = dict(type='mmpretrain.CustomDataset', data_root='photos', ann_file=str(tmp_path / 'good.txt'))
    assert list_to_carry(data) == b'a/1.png 0\n'
    for changes in (
        dict(ann_file=str(tmp_path / 'bad.txt')),
        dict(ann_file='meta/val.txt'),
        dict(ann_file=''),
        dict(type='COCO'),
    ):
        assert list_to_carry({**data, **changes}) is None


def test_lines_of_windows_and_of_unix_are_read():
    check_list(b'./ lead/1.png 0\r\nblue tit/2.png 12\r\n', 'val.txt')
