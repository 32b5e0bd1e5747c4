"""Checks of published folders in a clean process."""

import shutil
import sys
from pathlib import Path

import pytest
import torch
import yaml

from icckd_mm.zoo import clean_process
from icckd_mm.zoo.entry_files import write_entry
from icckd_mm.zoo.network import take_network
from icckd_mm.zoo.verify import verify, verify_all
from tests.processes import run_script

from .test_export import FORMATS, without_onnx


@pytest.fixture(scope='module')
def pristine(student, tmp_path_factory):
    folder = tmp_path_factory.mktemp('entry')
    write_entry(take_network(student[0]), 'tiny', folder, FORMATS)
    return folder


@pytest.fixture
def entry(pristine, tmp_path):
    shutil.copytree(pristine, tmp_path / 'entry')
    return tmp_path / 'entry'


def check(folder):
    """Name of the last check, whether it passed, and what it says; in this process, since a fresh one takes seconds."""
    return clean_process.check_folder(folder, metrics=True)[-1]


def weights(folder):
    (path,) = folder.glob('*.pth')
    return path


def test_a_good_entry_passes(entry):
    checks = clean_process.check_folder(entry, metrics=True)
    assert all(passed for _, passed, _ in checks)
    assert checks[-1][0] == 'metrics'
    assert checks[-1][2].endswith('on 32 images')


def test_changed_weights_have_another_hash(entry):
    path = weights(entry)
    path.write_bytes(path.read_bytes()[:-7] + b'changed')
    assert check(entry)[:2] == ('hash', False)
    assert 'changed or damaged' in check(entry)[2]


def test_a_file_that_runs_code_is_not_loaded(entry, capfd):
    class Evil:
        def __reduce__(self):
            return print, ('executed',)

    path = weights(entry)
    torch.save({'meta': {}, 'state_dict': Evil()}, path)
    rehashed(entry)
    assert check(entry)[:2] == ('safe loading', False)
    ((what, passed, detail),) = verify(entry)  # not even handed on to another process
    assert (what, passed) == ('safe loading', False)
    assert 'could run code' in detail
    assert 'executed' not in capfd.readouterr().out


def rehashed(folder):
    """Give the weights the name that their content asks for."""
    import hashlib

    path = weights(folder)
    name = f'tiny_20260101-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}'
    meta = yaml.safe_load((folder / 'metafile.yml').read_text())
    meta['Models'][0]['Weights'] = f'{name}.pth'
    (folder / 'metafile.yml').write_text(yaml.safe_dump(meta))
    for file in folder.glob(f'{path.stem}.*'):
        file.rename(folder / f'{name}{file.suffix}')


def test_weights_of_another_network_are_found(entry):
    """mmengine loads what fits and only logs the rest: users would get a random network."""
    content = torch.load(weights(entry), weights_only=True)
    content['state_dict']['head.fc.extra'] = content['state_dict'].pop('head.fc.bias')
    torch.save(content, weights(entry))
    rehashed(entry)
    assert check(entry)[:2] == ('mmpretrain.get_model', False)
    assert 'head.fc.bias' in check(entry)[2]


def test_a_missing_config_is_found(entry):
    (entry / 'tiny.py').unlink()
    assert check(entry)[:2] == ('mmpretrain.get_model', False)


def test_metrics_that_are_not_reached_are_found(entry):
    meta = yaml.safe_load((entry / 'metafile.yml').read_text())
    meta['Models'][0]['Results'][0]['Metrics']['accuracy/top1'] = 99.9
    (entry / 'metafile.yml').write_text(yaml.safe_dump(meta))
    assert check(entry)[:2] == ('metrics', False)
    assert 'but the metafile says accuracy/top1 99.9' in check(entry)[2]


@without_onnx
def test_a_graph_of_other_weights_is_found(entry):
    content = torch.load(weights(entry), weights_only=True)
    content['state_dict']['head.fc.bias'] += 1e-3
    torch.save(content, weights(entry))
    for other in entry.glob('*.safetensors'):
        other.unlink()
    rehashed(entry)
    assert check(entry)[:2] == ('ONNX', False)


@without_onnx
def test_without_onnxruntime_the_graph_is_not_checked_and_the_rest_is(entry, monkeypatch):
    monkeypatch.setitem(sys.modules, 'onnxruntime', None)
    checks = {what: (passed, detail) for what, passed, detail in clean_process.check_folder(entry, metrics=False)}
    assert checks['ONNX'] == (None, "not checked: onnxruntime is missing: pip install 'icckd_mm[export]'")
    assert all(passed for what, (passed, _) in checks.items() if what != 'ONNX')


def test_other_safetensors_are_found(entry):
    torch_file = pytest.importorskip('safetensors.torch', reason="needs safetensors: pip install 'icckd_mm[export]'")
    (path,) = entry.glob('*.safetensors')
    tensors = torch_file.load_file(path)
    tensors['head.fc.bias'] += 1
    torch_file.save_file(tensors, path)
    assert check(entry)[:2] == ('safetensors', False)


def test_folders_that_are_no_entries_are_refused(tmp_path, pristine, entry):
    for content in ('', 'Models: []', '{', 'Models: [{Name: x}]'):
        (entry / 'metafile.yml').write_text(content)
        with pytest.raises(ValueError, match=r'metafile\.yml does not describe one model'):
            verify(entry)
    with pytest.raises(ValueError, match=r'has no metafile\.yml; it was not written by publish\.py'):
        verify(tmp_path)
    with pytest.raises(ValueError, match=r'nowhere has no metafile\.yml'):
        verify_all([pristine, tmp_path / 'nowhere'])


def test_the_exit_status_of_the_command_says_all(entry):
    """The first entry of the zoo is good, a damaged one next to it is not."""
    (first,) = Path('configs/icckd/zoo').glob('*_digits')
    (entry / 'tiny.py').write_text('model = dict(')
    command = Path(__file__).parents[2] / 'tools/model_converters/verify.py'
    status, said, error = run_script(command, first, entry)
    assert status == 1, error
    lines = said.splitlines()
    assert lines[0] == str(first)
    assert len([line for line in lines if line.startswith('FAILED')]) == 1
    assert lines[-1].startswith('FAILED  config')
    status, _, error = run_script(command, 'tools')
    assert (status, error) == (2, 'error: tools has no metafile.yml; it was not written by publish.py\n')
