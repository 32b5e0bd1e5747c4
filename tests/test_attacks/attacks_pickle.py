"""Forged pickles in a sound container: each must be refused, or load as plain data."""

import struct

from . import forge
from .forge import DOUBLE, HISTORY, archive, array, call, in_dict, name, number, plain, storage, tensor

SMALL = number('i1', b'\x64')  # numpy's 100, which wraps when it is multiplied
WIDE = number('i2', b'\xff\x7f')
DEEP = 240_000
VALUE = b'q\x01'  # memo of a large value that a call copies
CALL = b'h\x02h\x03R'  # a call from the memo: function and arguments


def nested(function, called=b'\x85R', levels=DEEP):
    """function(function(function(…)))"""
    return function + b'q\x00' + b'h\x00' * (levels - 1) + b'K\x01' + called * levels


def chain(empty, key=b'K\x01', close=b's', levels=DEEP // 2):
    """A container in a container in a container."""
    return (empty + key) * levels + b'N' + close * levels


def copies(function, value, times=60_000):
    """A list of the results of the same call with the same large argument."""
    return b']q\x00' + function + b'q\x02' + value + b'\x85q\x03' + b'00(' + CALL * times + b'e'


def keys(*many):
    """A dict with these keys."""
    return b'}(' + b''.join(key + b'N' for key in many) + b'u'


P = 2**61 - 1  # Python's hash of an integer is the rest of a division by it
COLLIDING_INTS = keys(*(plain(i * P + 5) for i in range(1, 60_000)))
COLLIDING_COMPLEX = keys(
    *(
        name('builtins', 'complex') + struct.pack('>cdcd', b'G', 5.0 - 1000003 * i, b'G', float(i)) + b'\x86R'
        for i in range(25_000)
    )
)
LONG = b'(' + b'K\x01' * 100_000 + b't'
WIDE_LIST = b'](' + b'K\x01' * 200_000 + b'e'
TEXT = plain('x' * 300_000)
QUANTISED = ['QInt8Storage', 'QUInt8Storage', 'QInt32Storage', 'QUInt4x2Storage', 'QUInt2x4Storage']
PACKED = ['qint8', 'quint8', 'qint32', 'quint4x2', 'bits8', 'bits1x8', 'uint1', 'int7', 'float4_e2m1fn_x2']
PLACES = ['cuda:99', 'cuda:-1', 'mps', 'hpu:0', 'xla', 'npu', '']
EMPTY = b'ccollections\nOrderedDict\n)R'
ENCODE, GETATTR, DTYPE = name('_codecs', 'encode'), name('builtins', 'getattr'), name('numpy', 'dtype')


def of_dtype(kind):
    return call(
        name('torch._utils', '_rebuild_tensor_v3'),
        call_storage(),
        0,
        (4,),
        (1,),
        False,
        EMPTY,
        name('torch', kind),
    )


def call_storage():
    return plain(('storage', b'ctorch.storage\nUntypedStorage\n', '0', 'cpu', 16)) + b'Q'


def keys_of(**values):
    return b'}(' + b''.join(plain(key) + value for key, value in values.items()) + b'u'


def history(state):
    return HISTORY + b')R' + state + b'b'


PICKLES = {
    # sizes that are no ints, and lies about sizes
    'sizes of numpy': tensor(size=(SMALL, SMALL), stride=(SMALL, 1)),
    'one size of numpy': tensor(size=(SMALL,), stride=(SMALL,)),
    'stride of numpy': tensor(size=(2,), stride=(SMALL,)),
    'offset of numpy': tensor(offset=SMALL, size=(SMALL,), stride=(SMALL,)),
    'wide sizes of numpy': tensor(size=(WIDE, WIDE), stride=(WIDE, WIDE)),
    'size of bool': tensor(size=(True,)),
    'size of float': tensor(size=(4.0,)),
    'numel of numpy': tensor(numel=number('i1', b'\x04')),
    'size of a tensor': tensor(size=(tensor(size=()),)),
    'repeated tensor': tensor(size=(2**40,), stride=(0,)),
    'many dimensions': tensor(size=(1,) * 5000, stride=(1,) * 5000),
    'empty but huge': tensor(size=(2**62, 0), stride=(1, 1)),
    'huge storage': tensor(numel=2**40),
    'metadata': tensor(tail=(b'}' + plain('conj') + b'\x88s',)),
    'hooks': tensor(hooks=EMPTY + b'K\x00' + name('torch', 'device') + b's'),
    'gradient of an object': tensor(grad=HISTORY + b')R'),
    'two types of a storage': tensor() + b'0' + tensor(kind='IntStorage'),
    'two sizes of a storage': tensor() + b'0' + tensor(numel=2),
    'storage in a view': tensor(view=(('1', 2**40, 2),)),
    'module reference': plain(('module', b'ccollections\nOrderedDict\n', 'file.py', 'source')) + b'Q',
    'reference by number': b'K\x07Q',
    **{f'storage {kind}': tensor(kind=kind, numel=16 if '8' in kind else 4) for kind in QUANTISED},
    **{f'dtype {kind}': of_dtype(kind) for kind in PACKED},
    'quantised tensor': call(name('torch._utils', '_rebuild_qtensor'), storage(), 0, (4,), (1,), (), False, EMPTY),
    'sparse tensor': call(name('torch._utils', '_rebuild_sparse_tensor'), b'N', ()),
    'meta tensor': call(name('torch._utils', '_rebuild_meta_tensor_no_storage'), name('torch', 'float32'), (4,), (1,), False),
    'tensor subclass': call(name('torch._tensor', '_rebuild_from_type_v2'), b'N', name('torch', 'Tensor'), (), b'N'),
    # arrays
    'no bytes a string': array('S0', (2**40, 2), state=(None, None, None, 0, 1, 0)),
    'no bytes a text': array('U0', (2**40, 2), state=(None, None, None, 0, 4, 8)),
    'shape of numpy': array('i1', (SMALL,), bytes(100)),
    'negative shape': array('i1', (-1, -4), bytes(4)),
    'zero of many': array('i1', (2**62, 2**62, 0)),
    'deep shape': array('i1', (1,) * 400, b'x'),
    'array of objects': array('O8', (1,), bytes(8)),
    'array of dates': array('M8', (1,), bytes(8)),
    'long string': DTYPE + plain(('S999999999999', False, True)) + b'R',
    'dtype with fields': array('f4', (1,), bytes(4), state=(None, ('a',), None, 4, 1, 0)),
    'dtype of other size': array('S4', (1,), bytes(4), state=(None, None, None, 2**30, 1, 0)),
    'unknown order': array('f4', (1,), bytes(4), order='x'),
    'short scalar': number('f8', b'x'),
    'scalar of no dtype': call(name('numpy.core.multiarray', 'scalar'), 'f8', call(ENCODE, 'x', 'latin1')),
    'log of nothing': history(b'}'),
    'log of text': history(keys_of(_log_history=plain('x'), _count_history=b'N', max_length=b'K\x01')),
    # texts that grow, chains that Python follows by recursion
    'doubled name': GETATTR + HISTORY + DOUBLE + b'\x86R',
    'doubled encoding': ENCODE + plain('x') + DOUBLE + b'\x86R',
    'doubled dtype': DTYPE + DOUBLE + b'\x89\x88\x87R',
    'doubled size': tensor(size=DOUBLE),
    'doubled key': b'}' + DOUBLE + b'Ns',
    'doubled state': DTYPE + plain(('f4', False, True)) + b'R' + DOUBLE + b'b',
    'chain of tuples as a key': b'})' + b'\x85' * 300_000 + b'K\x01s',
    'chain of slices': nested(name('builtins', 'slice'), levels=300_000),
    'chain of deques': nested(name('collections', 'deque'), b'\x85\x85R', 190_000),
    'chain of defaultdicts': name('collections', 'defaultdict') + b'q\x00' + b'0' + chain(b'h\x00N\x85R', levels=110_000),
    'chain of queues': name('collections', 'deque') + b'q\x00' + b'h\x00)R' * DEEP + b'a' * (DEEP - 1),
    # small files that would make large or slow ones
    'many sets': b']' + b'(' + b'\x8f' * 950_000 + b'e',
    'many logs': b']q\x00' + HISTORY + b'q\x020(' + b'h\x02)R' * 230_000 + b'e',
    'many queues': b']q\x00' + name('collections', 'deque') + b'q\x020(' + b'h\x02)R' * 230_000 + b'e',
    'many dicts': b']q\x00' + name('collections', 'OrderedDict') + b'q\x020(' + b'h\x02)R' * 230_000 + b'e',
    'many tensors': b']q\x00' + name('torch._utils', '_rebuild_tensor_v2') + b'q\x02' + b'(' + storage()
    + plain(0) + plain((4,)) + plain((1,)) + b'\x89Ntq\x03' + b'00(' + CALL * 180_000 + b'e',
    'copies of a set': copies(name('builtins', 'frozenset'), WIDE_LIST),
    'copies of a deque': copies(name('collections', 'deque'), WIDE_LIST),
    'copies of a size': copies(name('torch', 'Size'), WIDE_LIST),
    'copies of bytes': copies(name('builtins', 'bytearray'), call(ENCODE, 'x' * 300_000, 'latin1')),
    'copies of a text': b']q\x00' + ENCODE + b'q\x02' + TEXT + plain('latin1') + b'\x86q\x03' + b'00(' + CALL * 60_000 + b'e',
    'copies of a state': b']q\x00}(' + b''.join(plain(f'k{i}') + b'N' for i in range(40_000)) + b'uq\x03'
    + name('argparse', 'Namespace') + b'q\x02' + b'00(' + b'h\x02)Rh\x03b' * 60_000 + b'e',
    'colliding numbers': COLLIDING_INTS,
    'colliding complex numbers': COLLIDING_COMPLEX,
    'long key again and again': b'}q\x00' + LONG + b'q\x010' + b'(' + b'h\x01N' * 100_000 + b'u',
    'long integer': b'I' + b'9' * 900_000 + b'\n',
    'keys that are no numbers': keys(*(b'G' + struct.pack('>d', float('nan')) for _ in range(70_000))),
    'keys that are equal in their low bits': keys(*(plain(i << 40) for i in range(80_000))),
    'keys of long doubles': keys(number('f16', bytes(16))),
    'keys of complex numbers of numpy': keys(number('c16', bytes(16))),
    'tuples of large integers': keys(plain((2**40, 2**41))),
    'many results of calls': b']q\x00' + name('torch', 'Size') + b'q\x02)\x85q\x030(' + CALL * 180_000 + b'e',
    'many calls for nothing': name('collections', 'OrderedDict') + b'q\x02' + b')R0h\x02' * 180_000,
    'endless range': call(name('builtins', 'range'), 2**62),
    'metadata of a text': name('collections', 'OrderedDict') + b')R' + keys_of(_metadata=plain('x')) + b'b',
    'byte order set twice': array('f4', (1,), bytes(4)) + name('numpy', 'ndarray') + b'N\x85b',
    **{f'location {place!r}': tensor(location=place) for place in PLACES},
    'location with a zero': tensor(location='cpu\x00'),
    # lengths that are not there
    'array of bytes': b'\x96' + struct.pack('<Q', 6 * 2**30) + b'x',
    'bytes': b'\x8e' + struct.pack('<Q', 2**33) + b'x',
    'text': b'\x8d' + struct.pack('<Q', 2**33) + b'x',
    'frame': b'\x95' + struct.pack('<Q', 2**33) + b'x',
    'short frame': b'\x95' + struct.pack('<Q', 2) + plain('a longer text'),
    'integer': b'\x8b' + struct.pack('<i', 2**31 - 1) + b'x',
    'negative text': b'T' + struct.pack('<i', -5) + b'x',
    'memo that is not there': b'h\x63',
    'a million marks': b'(' * 950_000,
    'no start of a list': b'e',
    # names
    **{f'names {module}.{part}': call(name(module, part), '/nowhere') for module, part in (
        ('posix', 'system'), ('builtins', 'eval'), ('torch', 'load'), ('numpy', 'fromfile'), ('torch.jit', 'load'),
        ('codecs', 'open'), ('torch.serialization', '_get_layout'), ('torch.storage', '_load_from_bytes'), ('shutil', 'rmtree'),
        ('mmengine.config', 'Config.fromstring'), ('torch._utils', '_import_dotted_name'), ('builtins', 'getattr'))},
    'name of several lines': plain('os\nFATAL') + plain('system\x1b[2J') + b'\x93',
    'name in numbers': b'K\x01K\x02\x93',
    'long name': name('x' * 400_000, 'y' * 400_000),
    'device': call(name('torch', 'device'), 0),
    'Size of numpy': name('torch', 'Size') + b'(' + SMALL + b't\x85R',
}  # fmt: skip

MAY_LOAD = {
    'chain of defaultdicts',
    'keys that are equal in their low bits',
    'million empty lists',
    'million memos',
    'chain of tuples',
}  # plain data

FILES = {
    kind: archive(in_dict(opcodes, 4 if opcodes[:1] in b'\x8d\x8e\x95\x96\x8f' else 2)) for kind, opcodes in PICKLES.items()
}
FILES['million empty lists'] = archive(b'\x80\x02](' + b']' * 950_000 + b'e.')
FILES['million memos'] = archive(b'\x80\x04]' + b'\x94' * 950_000 + b'.')
FILES['chain of tuples'] = archive(b'\x80\x02)' + b'\x85' * 900_000 + b'.')
FILES['chain of namespaces'] = archive(
    b'\x80\x02' + name('argparse', 'Namespace') + b'q\x000' + chain(b'h\x00)R}' + plain('a'), b'', b'sb', 60_000) + b'.'
)
for kind in ('one size of numpy', 'sizes of numpy', 'stride of numpy', 'offset of numpy', 'wide sizes of numpy'):
    FILES[f'legacy with {kind}'] = forge.legacy(
        in_dict(PICKLES[kind].replace(plain(4) + b'tQ', plain(4) + b'NtQ')), keys=(), data=()
    )
FILES['legacy with a long integer'] = forge.legacy(in_dict(PICKLES['long integer']), keys=(), data=())
FILES['legacy with a long array'] = forge.legacy(in_dict(PICKLES['array of bytes'], 5), keys=(), data=())
FILES['legacy with long bytes'] = forge.legacy(in_dict(PICKLES['bytes'], 4), keys=(), data=())
FILES['legacy with a long frame'] = forge.legacy(in_dict(PICKLES['frame'], 4), keys=(), data=())
