"""Forged containers around a sound pickle: zip files, legacy files, safetensors."""

import pickle
import struct
import tarfile
import zipfile

from .forge import MAGIC, SYSTEM, VERSION, archive, call, in_dict, legacy, name, number, patched, plain, safetensors, tensor

GOOD = in_dict(tensor())
OLD = in_dict(tensor(view=(None,)))  # legacy files say that a storage is not a view
TWO = in_dict(tensor(view=(None,)) + b's' + plain('y') + tensor(key='1', view=(None,)))
CENTRAL, LOCAL, END = b'PK\x01\x02', b'PK\x03\x04', b'PK\x05\x06'


def bomb(method):
    return archive(in_dict(tensor(numel=2**24)), storages=(bytes(2**26),), method=method)


def overlapping(count=3000):
    """Many entries of the directory for one record of 60 KB."""
    data = archive(GOOD, storages=(bytes(60_000),))
    start = data.index(CENTRAL)
    end = data.index(END)
    return data[:start] + data[start:end] * count + struct.pack('<4s4H2LH', END, 0, 0, 0, 0, (end - start) * count, start, 0)


def tar(kind, claimed):
    info = tarfile.TarInfo('storages')
    info.type, info.size = kind, claimed
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


def zip64():
    """A record that claims 2**60 bytes in the extra field for large files."""
    data = archive(GOOD)
    entry = data.index(CENTRAL)
    return patched(patched(data, CENTRAL, 24, '<L', 2**32 - 1), CENTRAL, 20, '<L', 2**32 - 1)[: entry + 10_000]


ZIPS = {
    'deflated bomb': bomb(zipfile.ZIP_DEFLATED),
    'bzip2 bomb': bomb(zipfile.ZIP_BZIP2),
    'lzma bomb': bomb(zipfile.ZIP_LZMA),
    'deflated pickle': archive(b'\x80\x02](' + b'N' * 2**26 + b'e.', method=zipfile.ZIP_DEFLATED),
    'overlapping records': overlapping(),
    'record of 4 GB': patched(patched(archive(GOOD), CENTRAL, 24, '<L', 2**32 - 2, 2), CENTRAL, 20, '<L', 2**32 - 2, 2),
    'record behind the end': patched(archive(GOOD), CENTRAL, 42, '<L', 2**31),
    'record of zip64': zip64(),
    'directory before the start': patched(archive(GOOD), END, 16, '<L', 2**31),
    'directory of 4 GB': patched(archive(GOOD), END, 12, '<L', 2**32 - 2),
    'other name in the record': archive(GOOD).replace(b'archive/data.pkl', b'archive/date.pkl', 1),
    'encrypted': patched(archive(GOOD), CENTRAL, 8, '<H', 1),
    'wrong checksum': patched(archive(GOOD), CENTRAL, 16, '<L', 1, 2),
    'pickle twice': archive(GOOD, extra=[('archive/data.pkl', GOOD)]),
    'no pickle': archive(None),
    'no storage': archive(GOOD, storages=()),
    'short storage': archive(GOOD, storages=(bytes(12),)),
    'long storage': archive(GOOD, storages=(bytes(20),)),
    'empty zip': LOCAL + END + bytes(18),
    'no records': LOCAL + bytes(26) + END + bytes(18),
    'program': archive(GOOD, **{'constants.pkl': b'x'}),
    'record outside': archive(GOOD, extra=[('../../outside', b'x')]),
    'record at the root': archive(GOOD, extra=[('/outside', b'x')]),
    'storage outside': archive(in_dict(tensor(key='../../data/0'))),
    'storage that is the pickle': archive(in_dict(tensor(key='../data.pkl'))),
    'half a file': archive(GOOD)[:300],
    'long comment': archive(GOOD)[:-2] + struct.pack('<H', 60_000) + b'x',
    'other byte order': archive(in_dict(tensor(kind='ComplexDoubleStorage', size=(1,), numel=1)), byteorder=b'big'),
    'thousands of records': archive(GOOD, extra=[(f'archive/{i}', b'') for i in range(9000)]),
    'two directories': archive(GOOD) + archive(GOOD, storages=()),
    'unknown byte order': archive(GOOD, byteorder=b'x' * 500_000),
}

LEGACY = {
    'no storage listed': legacy(OLD, keys=(), data=()),
    'three GB and no storage listed': legacy(in_dict(tensor(numel=3 * 2**28, view=(None,))), keys=(), data=()),
    'one of two listed': legacy(TWO, keys=('0',)),
    'one listed twice': legacy(TWO, keys=('0', '0'), data=((4, bytes(16)),) * 2),
    'one listed twice, alone': legacy(OLD, keys=('0', '0'), data=((4, bytes(16)),) * 2),
    'unknown one listed': legacy(OLD, keys=('9',)),
    'list of a dict': legacy(OLD, keys=pickle.dumps({'0': 0}, 2)),
    'list of a text': legacy(OLD, keys=pickle.dumps('0', 2)),
    'list of nothing': legacy(OLD, keys=pickle.dumps(None, 2)),
    'list of a range': legacy(OLD, keys=b'\x80\x02' + call(name('builtins', 'range'), 2**40) + b'.'),
    'list of deep tuples': legacy(OLD, keys=b'\x80\x02])' + b'\x85' * 300_000 + b'a.'),
    'storage in the list': legacy(OLD, keys=b'\x80\x02]' + tensor(view=(None,)) + b'a.'),
    'fewer elements': legacy(OLD, data=((2, bytes(16)),)),
    'more elements': legacy(OLD, data=((2**40, bytes(16)),)),
    'negative elements': legacy(OLD, data=((-4, bytes(16)),)),
    'elements missing': legacy(OLD, data=((4, bytes(15)),)),
    'no elements': legacy(OLD, data=()),
    'half a number': legacy(OLD, data=())[:-1] + b'.' + b'\x04',
    'many large storages': legacy(
        b'\x80\x02](' + b''.join(tensor(key=str(i), numel=2**14, view=(None,)) for i in range(3000)) + b'e.',
        keys=(),
        data=((4, bytes(2**16)),),
    ),
    'many empty storages': legacy(
        b'\x80\x02](' + b''.join(tensor(key=str(i), numel=0, size=(0,), view=(None,)) for i in range(7000)) + b'e.', keys=()
    ),
    'many references': legacy(
        b'\x80\x02('
        + plain('storage')
        + b'q\x00'
        + name('torch', 'FloatStorage')
        + b'q\x01'
        + plain('cpu')
        + b'q\x020'
        + b''.join(b'(h\x00h\x01' + plain(str(i)) + b'h\x02K\x00NtQ0' for i in range(40_000))
        + b'N.',
        keys=(),
    ),
    'magic of a float': legacy(OLD, head=(float(MAGIC), VERSION, SYSTEM)),
    'magic of an array': legacy(OLD, head=(MAGIC, b'\x80\x02' + number('i2', struct.pack('<h', 1001)) + b'.', SYSTEM)),
    'other version': legacy(OLD, head=(MAGIC, 7, SYSTEM)),
    'tensor in the head': legacy(OLD, head=(MAGIC, VERSION, OLD)),
    'program in the head': legacy(OLD, head=(MAGIC, VERSION, b'\x80\x02cposix\nsystem\nX\x04\x00\x00\x00true\x85R.')),
    'view of a storage': legacy(in_dict(tensor(view=(('1', 0, 2),)))),
    'tar with a long name': tar(tarfile.GNUTYPE_LONGNAME, 6 * 2**30),
    'tar with a long header': tar(tarfile.XHDTYPE, 6 * 2**30),
    'tar': tar(tarfile.REGTYPE, 10),
    'xz': b'\xfd7zXZ\x00\x00\x04' + bytes(500),
    'empty': b'',
    'zeros': bytes(5000),
}


def entry(start=0, end=16, shape=(4,), dtype='F32'):
    return {'dtype': dtype, 'shape': list(shape), 'data_offsets': [start, end]}


TENSORS = {
    'longest header': safetensors({}, length=2**64 - 1),
    'long header': safetensors({}, length=2**26),
    'header of nothing': safetensors(b''),
    'no json': safetensors(b'{"x": '),
    'deep json': safetensors(b'{"x":' + b'[' * 200_000),
    'end behind the file': safetensors({'x': entry(end=2**40, shape=(2**38,))}, bytes(16)),
    'end overflows': safetensors({'x': entry(2**64 - 16, 2**64 - 1)}, bytes(16)),
    'end before start': safetensors({'x': entry(16, 0)}, bytes(16)),
    'negative start': safetensors({'x': entry(-16, 0)}, bytes(16)),
    'shape overflows': safetensors({'x': entry(shape=(2**32, 2**32, 2**32))}, bytes(16)),
    'shape wraps to fit': safetensors({'x': entry(shape=(2**62 + 1, 4))}, bytes(16)),
    'overlapping tensors': safetensors({'x': entry(), 'y': entry(8, 24)}, bytes(24)),
    'hole': safetensors({'x': entry(), 'y': entry(32, 48)}, bytes(48)),
    'unknown type': safetensors({'x': entry(dtype='Q8')}, bytes(16)),
    'shape of a text': safetensors(b'{"x":{"dtype":"F32","shape":"4","data_offsets":[0,16]}}', bytes(16)),
    'pickle by another name': archive(in_dict(call(name('posix', 'system'), 'true'))),
    'empty and huge': safetensors({'x': entry(0, 0, (2**62, 0))}),
}

FILES = {**{f'zip: {k}': v for k, v in ZIPS.items()}, **{f'legacy: {k}': v for k, v in LEGACY.items()}}
FILES |= {f'{kind}.safetensors': data for kind, data in TENSORS.items()}
MAY_LOAD = {
    'zip: record outside',  # it is not read
    'zip: record at the root',
    'zip: long comment',
    'zip: other byte order',
    'zip: thousands of records',
    'zip: unknown byte order',
    'empty and huge.safetensors',
}
