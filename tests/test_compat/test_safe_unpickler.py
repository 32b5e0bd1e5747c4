import builtins
import collections
import functools
import importlib
import io
import operator
import os
import pickle
import subprocess
import tarfile
import zipfile

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from icckd_mm.compat.checkpoints import unpickler as safe_unpickler
from icckd_mm.compat.checkpoints.globals import RefusedGlobalError
from icckd_mm.compat.safe_load import load_checkpoint_safely

HUB = ('mmengine.logging.history_buffer', 'HistoryBuffer')


class Call:
    """Is pickled as a call of any function."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


def hostile(marker):
    touch = f'open({marker!r}, "w").close()'
    return {
        'os.system': Call(os.system, f'touch {marker}'),
        'eval': Call(builtins.eval, touch),
        'exec': Call(builtins.exec, touch),
        'open': Call(builtins.open, marker, 'w'),
        '__import__': Call(builtins.__import__, 'antigravity'),
        'getattr of os': Call(builtins.getattr, Call(importlib.import_module, 'os'), 'system'),
        'getattr of __init__': Call(builtins.getattr, HistoryBuffer, '__init__'),
        'getattr chain': Call(builtins.getattr, Call(builtins.getattr, HistoryBuffer, '__init__'), '__globals__'),
        'getattr of an object': Call(builtins.getattr, [], 'append'),
        'setattr': Call(builtins.setattr, HistoryBuffer, 'mean', len),
        'Popen': Call(subprocess.Popen, ['touch', marker]),
        'attrgetter': Call(operator.attrgetter, '__class__'),
        'partial': Call(functools.partial, print, marker),
        'import_module': Call(importlib.import_module, 'antigravity'),
        'torch.load': Call(torch.load, marker),
        'torch.save': Call(torch.save, [1], marker),
        'torch.hub': Call(torch.hub.load_state_dict_from_url, 'file:///x', marker),
        'torch from_file': Call(torch.from_file, marker, True, 8),
        'storage from_file': Call(torch.UntypedStorage.from_file, marker, True, 8),
        'numpy.save': Call(np.save, marker, 1),
        'numpy.fromfile': Call(np.fromfile, marker),
        'numpy.memmap': Call(np.memmap, marker, 'uint8', 'w+', 0, 8),
        'pickle.loads': Call(pickle.loads, pickle.dumps(Call(os.system, f'touch {marker}'))),
        'HistoryBuffer.statistics': Call(HistoryBuffer.statistics, HistoryBuffer([1], [1]), 'mean'),
    }  # fmt: skip


def write(path, content, how):
    if how == 'plain':
        path.write_bytes(pickle.dumps(content, protocol=2))
    elif how == 'tar':
        with tarfile.open(path, 'w') as archive:
            for name in ('storages', 'tensors', 'pickle'):
                data = pickle.dumps(content, protocol=2)
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == 'zip')


@pytest.mark.parametrize('how', ['zip', 'legacy', 'plain', 'tar'])
@pytest.mark.parametrize('attack', list(hostile('x')))
def test_no_file_runs_code(tmp_path, attack, how):
    path, marker = tmp_path / 'hostile.pth', tmp_path / 'marker'
    write(path, {'state_dict': {}, 'meta': hostile(str(marker))[attack]}, how)
    before = dict(vars(HistoryBuffer))
    with pytest.raises(pickle.UnpicklingError, match=str(path)) as caught:
        load_checkpoint_safely(path)
    assert not marker.exists()
    assert dict(vars(HistoryBuffer)) == before
    if how != 'tar':
        assert 'it asks for' in str(caught.value)
        assert 'weights_only=False' in str(caught.value)


def unpickle(data):
    return safe_unpickler.Unpickler(io.BytesIO(data), len(data)).load()


def test_the_refusal_names_the_global_and_what_to_do(tmp_path):
    path = tmp_path / 'file.pth'
    torch.save(Call(os.system, 'true'), path)
    with pytest.raises(pickle.UnpicklingError, match=rf'{path} was not loaded: it asks for (posix|nt)\.system, .*torch\.save'):
        load_checkpoint_safely(path)


def test_a_file_cannot_set_attributes_of_classes_and_functions():
    for module, name in (HUB, ('torch._utils', '_rebuild_tensor_v2'), ('collections', 'Counter'), ('builtins', 'getattr')):
        for state in (b'N}(X\x06\x00\x00\x00updateK\x01u\x86', b'}(X\x06\x00\x00\x00updateK\x01u'):
            with pytest.raises(RefusedGlobalError, match='state for'):
                unpickle(b'\x80\x02c' + f'{module}\n{name}\n'.encode() + state + b'b.')
    with pytest.raises(RefusedGlobalError, match='OrderedDict with attributes'):
        unpickle(b'\x80\x02ccollections\nOrderedDict\n)R}(X\x04\x00\x00\x00copyK\x01ub.')


@pytest.mark.parametrize('opcodes', [b"(S'true'\nios\nsystem\n.", b"(cos\nsystem\nS'true'\no."], ids=['INST', 'OBJ'])
def test_opcodes_of_text_pickles_are_unknown(opcodes):
    with pytest.raises((KeyError, RefusedGlobalError)):
        unpickle(opcodes)


def test_a_global_named_on_the_stack_is_guarded():
    with pytest.raises(RefusedGlobalError, match=r'os\.system'):
        unpickle(b'\x80\x04\x8c\x02os\x8c\x06system\x93.')


def test_extension_codes_are_unknown():
    import copyreg

    copyreg.add_extension('os', 'system', 240)
    try:
        with pytest.raises(KeyError):
            unpickle(b'\x80\x02\x82\xf0.')
    finally:
        copyreg.remove_extension('os', 'system', 240)


def test_statistics_of_a_file_do_not_replace_those_of_the_class():
    statistics = dict(HistoryBuffer._statistics_methods)
    forged = HistoryBuffer([1.0, 5.0], [1, 1])
    data = pickle.dumps(forged, protocol=2)
    assert b'getattr' in data
    loaded = unpickle(data.replace(b'\x03\x00\x00\x00max', b'\x03\x00\x00\x00min'))
    assert HistoryBuffer._statistics_methods == statistics
    assert loaded.max() == 5.0
    assert 'statistics_methods' not in vars(loaded)


@pytest.mark.parametrize('protocol', [2, 3, 4])
def test_what_a_checkpoint_holds_comes_back(protocol):
    values = [
        collections.OrderedDict(a=1), collections.Counter('aab'), collections.defaultdict(list, {'k': [1]}),
        collections.deque([1, 2]), 1.5,
        {1, 2}, frozenset({3}), 2 + 3j, b'', b'\x00\xff', bytearray(b'ab'), slice(1, 2), range(3), 'ü', None, True, 10**30,
        np.float32(1.5), np.int64(-3), np.bool_(True), torch.Size([1, 2]), torch.device('cpu'), torch.float16,
    ]  # fmt: skip
    loaded = unpickle(pickle.dumps(values, protocol=protocol))
    values[2], values[3] = {'k': [1]}, [1, 2]  # a defaultdict comes back as a dict, a deque as a list
    assert loaded == values
    assert [type(value) for value in loaded] == [type(value) for value in values]


@pytest.mark.parametrize('dtype', ['f2', 'f4', 'f8', '>f4', 'i1', 'u8', '?', 'c8', 'S3', 'U2'])
@pytest.mark.parametrize('spelling', ['numpy.core', 'numpy._core'])
def test_arrays_in_both_spellings_of_numpy(dtype, spelling):
    block = np.arange(6).reshape(2, 3).astype(dtype)
    for array in (block, np.asfortranarray(block), block[:0], block[:1, 0].reshape(())):
        data = pickle.dumps(array, protocol=2)
        expected = pickle.loads(data)
        data = data.replace(b'numpy._core.multiarray\n', b'numpy.core.multiarray\n').replace(b'numpy.core', spelling.encode())
        loaded = unpickle(data)
        assert (loaded.dtype, loaded.shape, loaded.flags.f_contiguous) == (
            expected.dtype,
            expected.shape,
            expected.flags.f_contiguous,
        )
        assert (loaded == array).all()


def test_forged_arrays_are_refused():
    for array in (np.array([None, 'x'], dtype=object), np.zeros(2, dtype=[('a', 'f4')])):
        with pytest.raises(RefusedGlobalError, match=r'numpy\.dtype'):
            unpickle(pickle.dumps(array, protocol=2))
    array = np.arange(3, dtype='u1')
    for shape in ((4,), (-3,), (2**62, 4)):
        state = list(array.__reduce__()[2])
        state[1] = shape
        forged = Call(*array.__reduce__()[:1], *array.__reduce__()[1])
        forged.call = (*forged.call, tuple(state))
        with pytest.raises(pickle.UnpicklingError, match=r'does not have 3 bytes|not a tuple of sizes'):
            unpickle(pickle.dumps(forged, protocol=2))


def test_a_forged_record_in_a_zip_is_read_by_the_restricted_unpickler_too(tmp_path):
    torch.save({'x': torch.ones(2)}, tmp_path / 'good.pth')
    with zipfile.ZipFile(tmp_path / 'good.pth') as good, zipfile.ZipFile(tmp_path / 'bad.pth', 'w') as bad:
        for name in good.namelist():
            bad.writestr(name, b"cos\nsystem\n(S'true'\ntR." if name.endswith('data.pkl') else good.read(name))
    with pytest.raises(pickle.UnpicklingError, match=r'os\.system'):
        load_checkpoint_safely(tmp_path / 'bad.pth')
