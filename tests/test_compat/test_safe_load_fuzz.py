"""Damaged and forged checkpoints: an error that names the file or a plain content, no crash, no hang, nothing executed.

``ICCKD_FUZZ=20000`` sets the number of mutations of each base file.
"""

import contextlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import pytest
import torch

from icckd_mm.compat.safe_load import load_checkpoint_safely

from . import mutations, tiny_runner

CASES = int(os.environ.get('ICCKD_FUZZ', 300))
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module')
def bases(tmp_path_factory):
    """Files of the stock hook, of our hook, and of the stock hook in the format before torch 1.6."""
    folder = tmp_path_factory.mktemp('bases')
    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        tiny_runner.train(folder / 'a')
        tiny_runner.train(folder / 'b', checkpoint={'type': 'icckd_mm.ExactCheckpointHook'})
    shutil.copy(folder / 'a/epoch_1.pth', folder / 'stock.pth')
    shutil.copy(folder / 'b/epoch_1.pth', folder / 'own.pth')
    content = load_checkpoint_safely(folder / 'stock.pth')
    torch.save(content, folder / 'legacy.pth', _use_new_zipfile_serialization=False)
    return folder


def run(base, cases, folder, seed=0):
    """The outcomes of the mutations of one file, made in a process of their own."""
    folder.mkdir()
    command = [sys.executable, '-m', 'tests.test_compat.mutations', *map(str, (base, seed, 0, cases, folder))]
    environment = {**os.environ, 'OMP_NUM_THREADS': '1'}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60 + cases)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f'the interpreter ended with {done.returncode} at {rows[-1:]}\n{done.stderr[-2000:]}'
    return [row for row in rows if len(row) == 4]


@pytest.mark.parametrize('base', ['stock', 'own', 'legacy'])
def test_a_mutated_checkpoint_is_refused_or_plain(bases, tmp_path, base):
    """Reliability test 16."""
    rows = run(bases / f'{base}.pth', CASES, tmp_path / 'cases')
    assert len(rows) == CASES
    outcomes = {row[2] for row in rows}
    assert outcomes == {'loaded', 'refused'}, [row for row in rows if row[2] not in ('loaded', 'refused')]
    assert not [row for row in rows if row[1].startswith('hostile') and row[2] == 'loaded']


def test_the_hostile_opcodes_do_run_with_an_ordinary_unpickler(tmp_path, python):
    marker = tmp_path / 'marker'
    codes = [(b'\x80\x02N' + code + b'.').hex() for code in mutations.hostile(marker)[:8]]
    ran = python(f"""
import os, pickle, time
ran = []
for code in {codes}:
    pickle.loads(bytes.fromhex(code))
    for _ in range(200):
        if os.path.exists({str(marker)!r}): break
        time.sleep(0.01)
    ran.append(os.path.exists({str(marker)!r}))
    if ran[-1]: os.remove({str(marker)!r})
report(ran)
""")
    assert ran == [True] * 8


def write(path, opcodes, storage=bytes(16)):
    """A zip file of torch with the given pickle and one storage of four floats, or a plain pickle."""
    torch.save({'x': torch.zeros(4)}, path)
    with zipfile.ZipFile(path) as file:
        records = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, 'w') as file:
        for name, content in records.items():
            parts = {'data.pkl': opcodes, '0': storage}
            file.writestr(name, parts.get(name.rsplit('/')[-1], content))
    return path


def tensor(offset=0, size=(4,), stride=(1,), numel=4, key='0', location='cpu'):
    """Opcodes of a dict with one tensor; the numbers may lie."""

    def plain(value):
        return pickle.dumps(value, protocol=2)[2:-1].replace(b'q\x00', b'')

    storage = b'(' + plain('storage') + b'ctorch\nFloatStorage\n' + plain(key) + plain(location) + plain(numel) + b'tQ'
    arguments = storage + plain(offset) + plain(size) + plain(stride) + b'\x89ccollections\nOrderedDict\n)R'
    return b'\x80\x02}' + plain('x') + b'ctorch._utils\n_rebuild_tensor_v2\n(' + arguments + b'tRs.'


DEEP = b')' + b'\x85' * 300_000  # a tuple in a tuple in a tuple …
FORGED = {
    'deep key': b'\x80\x02}' + DEEP + b'K\x01s.',
    'deep keys': b'\x80\x02}(' + DEEP + b'K\x01u.',
    'deep key of a text pickle': b'(' + DEEP + b'K\x01d.',
    'deep member': b'\x80\x04\x8f(' + DEEP + b'\x90.',
    'deep frozenset': b'\x80\x04(' + DEEP + b'\x91.',
    'deep set': b'\x80\x02cbuiltins\nset\n]' + DEEP + b'a\x85R.',
    'deep pair': b'\x80\x02ccollections\nOrderedDict\n](]' + DEEP + b'aNa' + b'e\x85R.',
    'deep function': b'\x80\x02' + DEEP + b')R.',
    'deep state': b'\x80\x02ccollections\nOrderedDict\n)R]' + DEEP + b'ab.',
    'deep storage name': b'\x80\x02(X\x07\x00\x00\x00storagectorch\nFloatStorage\n' + DEEP + b'X\x03\x00\x00\x00cpuK\x04tQ.',
    'unrolled range': b'\x80\x02cbuiltins\nset\ncbuiltins\nrange\nJ\xff\xff\xff\x7f\x85R\x85R.',
    'unrolled size': b'\x80\x02ctorch\nSize\ncbuiltins\nrange\nJ\xff\xff\xff\x7f\x85R\x85R.',
    'many bytes': b'\x80\x02cbuiltins\nbytes\nJ\xff\xff\xff\x7f\x85R.',
    'long text': b'\x80\x04\x8d' + (2**62).to_bytes(8, 'little') + b'x.',
    'items of a tensor': tensor()[:-2] + b'(K\x00K\x01us.',
    'negative stride': tensor(stride=(-1,)),
    'negative offset': tensor(offset=-1),
    'offset behind the end': tensor(offset=1),
    'size behind the end': tensor(size=(5,)),
    'stride behind the end': tensor(size=(2,), stride=(4,)),
    'overflowing size': tensor(size=(2**32, 2**32), stride=(0, 0)),
    'strides without sizes': tensor(size=(), stride=(1,)),
    'short storage': tensor(numel=2**20),
    'long storage': tensor(numel=2),
    'negative storage': tensor(numel=-1),
    'storage of another folder': tensor(key='../../../x'),
    'data-less storage': tensor(location='meta'),
    'no device': tensor(location='nowhere'),
}


def test_forged_content_is_refused(tmp_path, python):
    """Each would crash the interpreter, fill the memory, or read what is not its own."""
    for name, opcodes in FORGED.items():
        write(tmp_path / f'{name}.pth', opcodes)
    outcome = python(f"""
import resource
from icckd_mm.compat import safe_load
from icckd_mm.compat.checkpoints import unpickler as safe_unpickler
used = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**31, used + 2**31))
outcome = {{}}
for name in {list(FORGED)}:
    try:
        outcome[name] = f'loaded {{type(safe_load.load_checkpoint_safely(name + ".pth")).__name__}}'
    except Exception as error:
        outcome[name] = f'{{type(error).__name__}}: {{error}}'
report(outcome)
""")
    assert set(outcome) == set(FORGED)
    for name, error in outcome.items():
        assert error.split(':')[0] in ('ValueError', 'UnpicklingError', 'RuntimeError'), (name, error)
        assert f'{name}.pth' in error
        assert 'MemoryError' not in error


def test_the_frame_of_the_forged_files_is_sound(tmp_path):
    """Else they would be refused for another reason."""
    loaded = load_checkpoint_safely(write(tmp_path / 'x.pth', tensor()))
    assert torch.equal(loaded['x'], torch.zeros(4))
    loaded = load_checkpoint_safely(write(tmp_path / 'x.pth', tensor(offset=1, size=(2, 3), stride=(0, 1))))
    assert loaded['x'].stride() == (0, 1)


def test_deep_and_circular_lists_are_refused_in_one_line(tmp_path):
    """The reader takes them; the gate behind it bounds the depth, since others walk the content by recursion."""
    for name, pickled in {'deep': b']' * 100_000 + b'a' * 99_999, 'circle': b']q\x00h\x00a'}.items():
        with pytest.raises(ValueError, match=f'{name}.pth was not loaded: containers are nested more than 100 deep'):
            load_checkpoint_safely(write(tmp_path / f'{name}.pth', b'\x80\x02' + pickled + b'.'))


@pytest.mark.parametrize('name', ['../../outside', '{root}/outside', 'x/../../outside', 'x/data/../../../outside'])
def test_names_of_records_write_nothing_outside(tmp_path, name):
    (tmp_path / 'in').mkdir()
    path = tmp_path / 'in/x.pth'
    torch.save({'x': torch.zeros(4)}, path)
    with zipfile.ZipFile(path, 'a') as file:
        file.writestr(name.format(root=tmp_path), 'hostile')
    with contextlib.suppress(RuntimeError):  # torch lists no record outside of the folder of the file's name
        load_checkpoint_safely(path)
    assert [entry.name for entry in tmp_path.iterdir()] == ['in']


def test_a_record_that_unpacks_to_much_more_is_refused(tmp_path):
    path = write(tmp_path / 'x.pth', tensor())
    with zipfile.ZipFile(path) as file:
        records = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        for name, content in records.items():
            file.writestr(name, content + bytes(2**26) if name.endswith('/0') else content)
    assert path.stat().st_size < 2**20
    with pytest.raises((ValueError, RuntimeError), match=r'x\.pth'):
        load_checkpoint_safely(path)
