"""Attacks of other shapes on what is published: links, pipes, bombs, and tensors that claim more than is stored."""

import json
import os
import shutil

import pytest
import torch
import yaml

from icckd_mm.zoo.entry_files import write_entry
from icckd_mm.zoo.import_checkpoint import import_checkpoint
from icckd_mm.zoo.index import names_in
from icckd_mm.zoo.meta import checked_meta
from icckd_mm.zoo.network import take_network
from icckd_mm.zoo.verify import verify

from .forged import at, run_config, write_run


@pytest.fixture(scope='module')
def pristine(tmp_path_factory):
    folder = tmp_path_factory.mktemp('entry')
    (folder / 'out').mkdir()
    write_entry(take_network(write_run(folder / 'run', run_config(folder))), 'tiny', folder / 'out', metrics=False)
    return folder / 'out'


@pytest.fixture
def entry(pristine, tmp_path):
    shutil.copytree(pristine, tmp_path / 'entry')
    return tmp_path / 'entry'


def log_beside(path):
    log = path.parent / '20260101_000000' / 'vis_data' / 'scalars.json'
    log.parent.mkdir(parents=True)
    return log


def publish_from(path, folder):
    (folder / 'out').mkdir(exist_ok=True)
    write_entry(take_network(path), 'tiny', folder / 'out', metrics=False)
    return ''.join(file.read_bytes().decode(errors='replace') for file in (folder / 'out').iterdir())


def test_a_log_that_is_a_link_is_not_published(tmp_path):
    """A work dir from anybody could hold a link to a key of the one who publishes it."""
    path = write_run(tmp_path / 'run', run_config(tmp_path))
    (tmp_path / 'secret.json').write_text(json.dumps({'token': 'abracadabra', 'step': 1}))
    os.symlink(tmp_path / 'secret.json', log_beside(path))
    folder = tmp_path / 'home' / 'vis_data'
    folder.mkdir(parents=True)
    (folder / 'scalars.json').write_text(json.dumps({'token': 'abracadabra', 'step': 1}))
    os.symlink(folder.parent, path.parent / '20250101_000000')
    assert 'abracadabra' not in publish_from(path, tmp_path)


@pytest.mark.parametrize('line', ['a secret', '[1]', '5', '{"step": 1', '\x00'])
def test_a_log_that_is_none_is_one_line(tmp_path, line):
    path = write_run(tmp_path / 'run', run_config(tmp_path))
    log_beside(path).write_text(f'{line}\n')
    with pytest.raises(ValueError, match='line 1, is not a JSON object') as caught:
        publish_from(path, tmp_path)
    assert '\n' not in str(caught.value)


def test_figures_that_are_none_are_not_published(tmp_path):
    path = write_run(tmp_path / 'run', run_config(tmp_path))
    log_beside(path).write_text(
        '{"a": NaN, "b": Infinity, "c": "x", "d": [1], "e": 1' + '0' * 400 + ', "accuracy/top1": 50.0, "step": 1}\n'
    )
    publish_from(path, tmp_path)
    (model,) = yaml.safe_load((tmp_path / 'out' / 'metafile.yml').read_text())['Models']
    assert model['Results'][0]['Metrics'] == {'accuracy/top1': 50.0}


def test_a_pipe_in_a_published_folder_does_not_hang(entry):
    (entry / 'tiny.py').unlink()
    os.mkfifo(entry / 'tiny.py')
    assert verify(entry, metrics=False)[-1][:2] == ('config', False)


def test_a_metafile_that_grows_when_it_is_read_is_one_line(entry):
    """Ten lines of YAML, of which a repr would take terabytes."""
    lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    lines += [f'a{level}: &a{level} [{", ".join([f"*a{level - 1}"] * 10)}]' for level in range(1, 12)]
    text = '\n'.join(lines) + '\nModels: [{Name: *a11, Config: tiny.py, Weights: x.pth, Metadata: {Image Size: *a11}}]\n'
    (entry / 'metafile.yml').write_text(text)
    with pytest.raises(ValueError, match='does not describe one model'):
        verify(entry)
    (entry.parent / 'model-index.yml').write_text('Import: [entry/metafile.yml]\n')
    assert names_in(entry.parent / 'model-index.yml', entry.parent) == set()


@pytest.mark.parametrize('size', [10**9, 0, -1, '32', 1.5, None, True])
def test_images_of_a_published_folder_have_a_size(entry, size):
    meta = yaml.safe_load((entry / 'metafile.yml').read_text())
    meta['Models'][0]['Metadata']['Image Size'] = size
    (entry / 'metafile.yml').write_text(yaml.safe_dump(meta))
    with pytest.raises(ValueError, match='does not describe one model'):
        verify(entry)


def test_class_names_that_grow_when_they_are_shown_are_left_out():
    """A pickle may hold the same tuple twice, sixty levels deep."""
    bomb = ('x', 'x')
    for _ in range(60):
        bomb = (bomb, bomb)
    assert checked_meta({'dataset_meta': {'classes': [bomb, 'cat', 3]}}) == {'dataset_meta': {'classes': ['', 'cat', '3']}}
    assert checked_meta({'epoch': bomb, 'time': bomb, 'experiment_name': bomb, 'dataset_meta': bomb}) == {}


def test_weights_that_claim_more_than_is_stored_take_no_memory(tmp_path):
    """One number, shown 10^12 times by strides of 0."""
    huge = torch.zeros(1).expand(10**6, 10**6)
    path = write_run(tmp_path / 'run', run_config(tmp_path))
    content = torch.load(path, weights_only=True)
    content['state_dict']['head.fc.weight'] = huge
    torch.save(content, path)
    assert path.stat().st_size < 1_000_000
    with pytest.raises(ValueError, match=r'claim more than is stored|that repeats 4 bytes'):
        take_network(path)
    torch.save({'model': {'fc.weight': torch.zeros(1).expand(10**9, 64), 'fc.bias': torch.zeros(1)}}, path)
    with pytest.raises(ValueError, match=r'claim more than is stored|that repeats 4 bytes'):
        import_checkpoint(path, tmp_path / 'out.pth', 'resnet8')


@pytest.mark.parametrize('path', ['/dev/zero', '/proc/self/mem', '//dev/zero', '/./dev/zero'])
def test_devices_are_not_data(tmp_path, path):
    cfg = run_config(tmp_path)
    at(cfg, 'test_dataloader.dataset', dict(type='CustomDataset', ann_file=path, pipeline=[]))
    with pytest.raises(ValueError, match='is not a folder of data'):
        publish_from(write_run(tmp_path / 'run', cfg), tmp_path)


NO_CONFIGS = ('model = 5', 'x = 1', 'model = dict(backbone=1)')


@pytest.mark.parametrize('meta', [None, 5, [], {'cfg': 5}, {'cfg': None}, *({'cfg': text} for text in NO_CONFIGS)], ids=str)
def test_a_checkpoint_without_a_classifier_is_one_line(tmp_path, meta):
    torch.save({'meta': meta, 'state_dict': {'a': torch.zeros(1), 5: torch.zeros(1)}}, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=r'classifier|config of its run|was not loaded: ') as caught:
        publish_from(tmp_path / 'a.pth', tmp_path)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('value', [float('nan'), float('inf'), 10**400, 'x\x1b[2J', [1], None, True])
def test_metrics_of_a_published_folder_are_numbers(entry, value):
    meta = yaml.safe_load((entry / 'metafile.yml').read_text())
    meta['Models'][0]['Results'] = [{'Metrics': {'accuracy/top1': value}}]
    (entry / 'metafile.yml').write_text(yaml.safe_dump(meta))
    with pytest.raises(ValueError, match='does not describe one model'):
        verify(entry)


@pytest.mark.parametrize('results', [3, [1], [{}], [{'Metrics': 3}], {'Metrics': {}}])
def test_results_of_a_published_folder_have_metrics(entry, results):
    meta = yaml.safe_load((entry / 'metafile.yml').read_text())
    meta['Models'][0]['Results'] = results
    (entry / 'metafile.yml').write_text(yaml.safe_dump(meta))
    with pytest.raises(ValueError, match='does not describe one model'):
        verify(entry)


def test_modules_in_a_published_folder_are_not_imported_where_a_command_is_started_in_it(entry, monkeypatch):
    """Python looks for modules in the folder that it is started in."""
    for name in ('mmcv', 'numpy', 'yaml'):
        (entry / f'{name}.py').write_text(f'open({str(entry / "marker")!r}, "w")\n')
    monkeypatch.chdir(entry)
    checks = verify('.', metrics=False)
    assert not (entry / 'marker').exists()
    assert all(passed is not False for _, passed, _ in checks)
