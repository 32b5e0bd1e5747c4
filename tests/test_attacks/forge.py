"""Pieces of forged checkpoint files: opcodes of pickle, and the containers of torch and safetensors around them."""

import io
import json
import pickle
import struct
import warnings
import zipfile

MAGIC, VERSION, SYSTEM = 0x1950A86A20F9469CFC6C, 1001, {'protocol_version': 1001, 'little_endian': True, 'type_sizes': {}}
HISTORY = b'cmmengine.logging.history_buffer\nHistoryBuffer\n'
DOUBLE = b'K\x01\x85q\x640' + b'h\x64h\x64\x86q\x640' * 60 + b'h\x64'  # x = (x, x), sixty times; its text has 2**60 parts


def plain(value):
    """Opcodes of a plain value, without start, stop and memo."""
    if isinstance(value, str):
        data = value.encode()
        return b'X' + struct.pack('<I', len(data)) + data
    if type(value) is int and not 0 <= value < 2**31:
        data = value.to_bytes(value.bit_length() // 8 + 1, 'little', signed=True)
        return b'\x8a' + bytes([len(data)]) + data
    if isinstance(value, tuple):
        return b'(' + b''.join(map(plain, value)) + b't'
    if isinstance(value, bytes):
        return value  # opcodes already
    return pickle.dumps(value, protocol=2)[2:-1].replace(b'q\x00', b'')


def name(module, attribute):
    """The opcode of a global."""
    return f'c{module}\n{attribute}\n'.encode()


def call(function, *arguments):
    """A call of a global."""
    return function + b'(' + b''.join(map(plain, arguments)) + b'tR'


def number(kind, data):
    """A scalar of numpy."""
    kind = call(name('numpy', 'dtype'), kind, False, True)
    raw = call(name('_codecs', 'encode'), data.decode('latin1'), 'latin1')
    return call(name('numpy.core.multiarray', 'scalar'), kind, raw)


def array(kind, shape, data=b'', order='|', state=(None, None, None, -1, -1, 0)):
    """An array of numpy."""
    empty = call(
        name('numpy.core.multiarray', '_reconstruct'),
        name('numpy', 'ndarray'),
        (0,),
        call(name('_codecs', 'encode'), 'b', 'latin1'),
    )
    kind = call(name('numpy', 'dtype'), kind, False, True) + plain((3, order, *state)) + b'b'
    raw = call(name('_codecs', 'encode'), data.decode('latin1'), 'latin1')
    return empty + plain((1, shape, kind, False, raw)) + b'b'


def storage(numel=4, key='0', kind='FloatStorage', location='cpu', view=(), mark='storage'):
    """A reference to a storage."""
    return plain((mark, name('torch', kind), key, location, numel, *view)) + b'Q'


def tensor(offset=0, size=(4,), stride=(1,), grad=False, hooks=b'ccollections\nOrderedDict\n)R', tail=(), **options):
    """A tensor."""
    return call(name('torch._utils', '_rebuild_tensor_v2'), storage(**options), offset, size, stride, grad, hooks, *tail)


def in_dict(opcodes, protocol=2):
    """A pickle of a dict with one entry."""
    return b'\x80' + bytes([protocol]) + b'}' + plain('x') + opcodes + b's.'


def archive(pickled, storages=(bytes(16),), extra=(), method=zipfile.ZIP_STORED, folder='archive/', **records):
    """A zip file of torch."""
    file = io.BytesIO()
    parts = {
        'data.pkl': pickled,
        'version': b'3\n',
        'byteorder': b'little',
        **{f'data/{i}': data for i, data in enumerate(storages)},
        **records,
    }
    with zipfile.ZipFile(file, 'w', method) as out, warnings.catch_warnings():
        warnings.filterwarnings('ignore', 'Duplicate name')  # some attacks want it
        for part, content in (*((folder + part, content) for part, content in parts.items()), *extra):
            if content is not None:
                out.writestr(part, content)
    return file.getvalue()


def legacy(pickled, keys=('0',), data=((4, bytes(16)),), head=(MAGIC, VERSION, SYSTEM)):
    """A file as torch wrote them before 1.6; ``keys`` and the parts of ``head`` may be pickles."""
    parts = [part if isinstance(part, bytes) else pickle.dumps(part, protocol=2) for part in head]
    keys = keys if isinstance(keys, bytes) else pickle.dumps(list(keys), protocol=2)
    return b''.join(parts) + pickled + keys + b''.join(struct.pack('<q', numel) + raw for numel, raw in data)


def safetensors(header, data=b'', length=None):
    """A file of safetensors; the header is text or its content."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack('<Q', len(text) if length is None else length) + text + data


def patched(data, signature, offset, fmt, value, which=0):
    """A zip file with one field of one of its headers changed."""
    start = -1
    for _ in range(which + 1):
        start = data.index(signature, start + 1)
    data = bytearray(data)
    struct.pack_into(fmt, data, start + offset, value)
    return bytes(data)
