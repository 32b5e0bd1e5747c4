"""Two hundred forged files: none runs code, crashes, hangs, or takes much memory; each is refused, or is plain data."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from icckd_mm.compat.checkpoints.tensors import DTYPES
from icckd_mm.compat.safe_load import load_checkpoint_safely

from . import attacks_files, attacks_pickle, forge

FILES = {**attacks_pickle.FILES, **attacks_files.FILES}
MAY_LOAD = attacks_pickle.MAY_LOAD | attacks_files.MAY_LOAD
CHILD = Path(__file__).with_name('reader_child.py')
SECONDS, MEGABYTES = 5, 200


def outcomes(folder, count):
    """What the child says of each file; it starts again behind one that ends it."""
    rows = []
    while len(rows) < count:
        command = [sys.executable, str(CHILD), 'ours', str(folder), str(len(rows))]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600)
        rows += [json.loads(line)[1:] for line in done.stdout.splitlines()]
        if done.returncode:
            assert done.returncode < 0, done.stderr
            end = 'hang' if done.returncode == -signal.SIGPROF else 'crash'
            rows.append([end, done.stderr[-500:], 0, 0])
    return rows


@pytest.fixture(scope='module')
def ends(tmp_path_factory):
    folder = tmp_path_factory.mktemp('forged')
    (folder / 'warm').write_bytes(forge.archive(attacks_files.GOOD))
    for number, (kind, data) in enumerate(FILES.items()):
        path = folder / f'{number:03d}{".safetensors" if kind.endswith(".safetensors") else ".pth"}'
        path.write_bytes(data)
    before = sorted(folder.parent.rglob('*'))
    ends = dict(zip(FILES, outcomes(folder, len(FILES))))
    assert sorted(folder.parent.rglob('*')) == before  # nothing was written or removed
    return ends


@pytest.mark.parametrize('kind', list(FILES))
def test_a_forged_file_is_refused_or_plain(ends, kind):
    outcome, text, seconds, megabytes = ends[kind]
    assert outcome == 'refused' or (outcome == 'loaded' and kind in MAY_LOAD), text
    assert text.isprintable()
    assert seconds < SECONDS
    assert megabytes < MEGABYTES


def test_the_frames_of_the_forged_files_are_sound(tmp_path):
    """Else they would be refused for another reason."""
    for number, data in enumerate((forge.archive(attacks_files.GOOD), forge.legacy(attacks_files.OLD))):
        (tmp_path / f'{number}.pth').write_bytes(data)
        assert torch.equal(load_checkpoint_safely(tmp_path / f'{number}.pth')['x'], torch.zeros(4))
    two = forge.legacy(attacks_files.TWO, keys=('1', '0'), data=((4, np.ones(4, 'f4').tobytes()), (4, bytes(16))))
    (tmp_path / 'two.pth').write_bytes(two)
    loaded = load_checkpoint_safely(tmp_path / 'two.pth')
    assert (loaded['x'].tolist(), loaded['y'].tolist()) == ([0.0] * 4, [1.0] * 4)
    for kind, data in (('i1', b'\x64'), ('f8', bytes(8))):
        (tmp_path / 'x.pth').write_bytes(forge.archive(forge.in_dict(forge.array(kind, (1,), data))))
        assert load_checkpoint_safely(tmp_path / 'x.pth')['x'].dtype == kind
    (tmp_path / 'x.safetensors').write_bytes(forge.safetensors({'x': attacks_files.entry()}, bytes(16)))
    assert torch.equal(load_checkpoint_safely(tmp_path / 'x.safetensors')['x'], torch.zeros(4))


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('kind', list(DTYPES))
def test_every_type_that_is_allowed_comes_back_and_can_be_read(tmp_path, kind, zipped):
    tensor = torch.tensor([1, 0, 1, 1, 0, 1]).to(DTYPES[kind]).reshape(2, 3)
    torch.save({'x': tensor, 'again': tensor.t()}, tmp_path / 'x.pth', _use_new_zipfile_serialization=zipped)
    loaded = load_checkpoint_safely(tmp_path / 'x.pth')
    assert loaded['x'].dtype == tensor.dtype
    assert loaded['again'].clone().tolist() == tensor.t().tolist()
    assert loaded['x'].data_ptr() == loaded['again'].data_ptr()


@pytest.mark.parametrize('zipped', [True, False])
@pytest.mark.parametrize('place', ['cpu', torch.device('cpu'), {'cpu': 'cpu'}, lambda storage, location: storage, 'meta', None])
def test_every_form_of_a_place(tmp_path, place, zipped):
    torch.save({'x': torch.arange(4.0)}, tmp_path / 'x.pth', _use_new_zipfile_serialization=zipped)
    loaded = load_checkpoint_safely(tmp_path / 'x.pth', place)['x']
    assert loaded.shape == (4,)
    assert loaded.is_meta if place == 'meta' else loaded.tolist() == [0, 1, 2, 3]


def test_large_honest_files_are_not_refused(tmp_path):
    """Many small values, which the bound on objects must not take for an attack."""
    content = {
        'scalars': [np.float64(i) for i in range(15_000)],
        'tensors': [torch.tensor(float(i)) for i in range(500)],
        'numbers': {i: float(i) for i in range(30_000)},
        'sets': [{i} for i in range(5_000)],
        'pairs': {(i, i + 1): None for i in range(1_000)},
    }
    for zipped in (True, False):
        torch.save(content, tmp_path / 'x.pth', _use_new_zipfile_serialization=zipped)
        loaded = load_checkpoint_safely(tmp_path / 'x.pth')
        assert loaded == content
