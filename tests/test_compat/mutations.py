"""Mutated checkpoints, loaded one after the other; as a script: ``mutations.py <base file> <seed> <first> <end> <folder>``.

It prints one JSON list a case before and after the loading, so that a crash of the interpreter leaves the number of its case.
"""

import argparse
import collections
import contextlib
import io
import json
import pickle
import pickletools
import random
import resource
import signal
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from icckd_mm.compat.checkpoints.globals import ALLOWED
from icckd_mm.compat.safe_load import load_checkpoint_safely

SECONDS = 10  # one case; an undisturbed file takes some milliseconds
MEMORY = 4 * 2**30  # address space on top of what the imports take
ERRORS = (ValueError, pickle.UnpicklingError, RuntimeError)
CONTAINERS = (dict, list, tuple, set, frozenset, collections.deque)
LEAVES = (
    bool, int, float, complex, str, bytes, bytearray, type(None), slice, range, np.ndarray, np.generic, np.dtype, HistoryBuffer,
    torch.Tensor, torch.dtype, torch.device, torch.storage.TypedStorage, torch.serialization.StorageType,
)  # fmt: skip


def hostile(marker):
    """Opcodes that would write ``marker`` if an unrestricted unpickler met them; each leaves the stack as it was."""
    text = f'touch {marker}'.encode()
    code = f'open({str(marker)!r}, "w").close()'.encode()

    def binary(value):
        return b'X' + len(value).to_bytes(4, 'little') + value

    def short(value):
        return b'\x8c' + bytes([len(value)]) + value

    shell = binary(text) + b'\x85'
    return [
        b'cos\nsystem\n' + shell + b'R0',
        b'cposix\nsystem\n' + shell + b'R0',
        b'c__builtin__\neval\n' + binary(code) + b'\x85R0',
        b'cbuiltins\nexec\n' + binary(code) + b'\x85R0',
        short(b'os') + short(b'system') + b'\x93' + shell + b'R0',
        short(b'builtins') + short(b'exec') + b'\x93' + binary(code) + b'\x85R0',
        b'(' + binary(text) + b'ios\nsystem\n0',
        b'(cos\nsystem\n' + binary(text) + b'o0',
        b'cos\nsystem\n' + shell + b'\x810',
        b'csubprocess\nPopen\n' + binary(text) + b'\x85}\x920',
        b'\x82\xf0' + shell + b'R0',
        b'\x83\xf0\x00' + shell + b'R0',
        b'\x84\xf0\x00\x00\x00' + shell + b'R0',
        b'cbuiltins\ngetattr\ncbuiltins\n__import__\n'
        + binary(b'os')
        + b'\x85R'
        + binary(b'system')
        + b'\x86R'
        + shell
        + b'R0',
        b'cbuiltins\ngetattr\ncmmengine.logging.history_buffer\nHistoryBuffer\n' + binary(b'__init__') + b'\x86R0',
        b'cmmengine.logging.history_buffer\nHistoryBuffer\n}' + binary(b'mean') + b'cos\nsystem\nsb0',
        b'ctorch._utils\n_rebuild_tensor_v2\n}' + binary(b'__code__') + b'K\x00sb0',
        b'ctorch\nload\n' + binary(str(marker).encode()) + b'\x85R0',
        b'cnumpy\nfromfile\n' + binary(str(marker).encode()) + b'\x85R0',
        b'cbuiltins\nlist\ncbuiltins\nrange\nK\x00J\xff\xff\xff\x7f\x86R\x85R0',
        b'cbuiltins\nbytearray\nJ\xff\xff\xff\x7f\x85R0',
        b'})' + b'\x85' * 100_000 + b'K\x01s0',
        b'c__main__\nKERNEL\n0',
    ]


def opcodes(data):
    """Start and name of each opcode as far as the pickle can be read."""
    found = []
    with contextlib.suppress(Exception):  # a legacy file goes on with other pickles and bytes
        found.extend((position, code.name, argument) for code, argument, position in pickletools.genops(data))
    return found


def mutate_bytes(data, rng):
    """Damage without any knowledge of the format."""
    data = bytearray(data)
    start = rng.randrange(len(data))
    end = min(len(data), start + int(2 ** rng.uniform(0, 12)))
    kind = rng.choice(['flip', 'flip', 'truncate', 'delete', 'duplicate', 'zero', 'noise', 'swap'])
    if kind == 'flip':
        for _ in range(rng.randint(1, 8)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    elif kind == 'truncate':
        del data[start:]
    elif kind == 'delete':
        del data[start:end]
    elif kind == 'duplicate':
        data[start:start] = data[start:end]
    elif kind == 'zero':
        data[start:end] = bytes(end - start)
    elif kind == 'noise':
        data[start:end] = rng.randbytes(end - start)
    else:
        other = rng.randrange(len(data))
        data[start:end], data[other : other + end - start] = data[other : other + end - start], data[start:end]
    return bytes(data), kind


INTEGERS = {
    'BININT1': 1,
    'BININT2': 2,
    'BININT': 4,
    'BINGET': 1,
    'BINPUT': 1,
    'LONG_BINGET': 4,
    'LONG_BINPUT': 4,
    'BINUNICODE': 4,
}


def mutate_pickle(data, rng, marker):
    """Damage that an unpickler reads as opcodes."""
    found = opcodes(data)
    kind = rng.choice(['hostile', 'hostile', 'opcode', 'number', 'number', 'drop', 'move', 'bytes'])
    position = rng.choice(found)[0]
    if kind == 'hostile':
        code = rng.choice(hostile(marker))
        return data[:position] + code + data[position:], f'hostile {code[:40]!r}'
    if kind == 'opcode':
        new = rng.choice(pickletools.opcodes)
        return data[:position] + new.code.encode('latin1') + data[position + 1 :], f'opcode {new.name}'
    if kind == 'number':
        position, name, _ = rng.choice([opcode for opcode in found if opcode[1] in INTEGERS] or found)
        if name not in INTEGERS:  # a pickle of a single long number
            return mutate_bytes(data, rng)
        width = INTEGERS[name]
        value = rng.choice([0, 1, 255, 2**15, 2**31 - 1, 2**31, 2**32 - 1, rng.getrandbits(32)]) % 256**width
        big = b'\x8a\x08' + rng.choice([2**40, 2**62, -1, -(2**62)]).to_bytes(8, 'little', signed=True)
        if name.startswith('BININT') and rng.random() < 0.5:
            return data[:position] + big + data[position + 1 + width :], f'number {name}'
        return data[: position + 1] + value.to_bytes(width, 'little') + data[position + 1 + width :], f'number {name} {value}'
    if kind == 'bytes':
        return mutate_bytes(data, rng)
    other = rng.randrange(len(found) - 1)
    piece = data[found[other][0] : found[other + 1][0]]
    if kind == 'drop':
        return data[: found[other][0]] + data[found[other + 1][0] :], f'drop {found[other][1]}'
    return data[:position] + piece + data[position:], f'move {found[other][1]}'


def mutate_zip(data, rng, marker):
    """Damage inside of the zip file, written with right checksums."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        records = [(name, archive.read(name)) for name in archive.namelist()]
    kind = rng.choice(['pickle'] * 6 + ['shrink', 'grow', 'drop', 'twice', 'rename', 'deflate', 'byteorder'])
    index = rng.randrange(len(records))
    name, content = records[index]
    method, note = zipfile.ZIP_STORED, f'{kind} {name}'
    if kind == 'pickle':
        index = next(i for i, (name, _) in enumerate(records) if name.endswith('data.pkl'))
        content, note = mutate_pickle(records[index][1], rng, marker)
        records[index] = records[index][0], content
    elif kind == 'shrink':
        records[index] = name, content[: len(content) // 2]
    elif kind == 'grow':
        records[index] = name, content + bytes(rng.randint(1, 4096))
    elif kind == 'drop':
        del records[index]
    elif kind == 'twice':
        records.append((name, mutate_bytes(content or b' ', rng)[0]))
    elif kind == 'rename':
        records[index] = rng.choice([f'../../{marker.name}', str(marker), f'{name}/../x', 'ü', name + '\x00']), content
    elif kind == 'deflate':
        method, records[index] = zipfile.ZIP_DEFLATED, (name, content + bytes(2**24))
    else:
        records[index] = name, content
        records = [(name, b'big' if name.endswith('byteorder') else content) for name, content in records]
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', method) as archive:
        for name, content in records:
            archive.writestr(name, content)
    return file.getvalue(), note


def mutate(data, rng, marker):
    """One mutated file and what was done to it."""
    if rng.random() < 0.3:
        return mutate_bytes(data, rng)
    if data[:2] == b'PK':
        return mutate_zip(data, rng, marker)
    start = 0  # magic number, protocol, system, then the content
    for _ in range(rng.choice([0, 1, 2, 3, 3, 3, 3])):
        start += opcodes(data[start:])[-1][0] + 1
    end = start + opcodes(data[start:])[-1][0] + 1
    piece, note = mutate_pickle(data[start:end], rng, marker)
    return data[:start] + piece + data[end:], note


def strange(content):
    """The first type in the content that has no place in a checkpoint, or ''; tensors are read, so that a wild one crashes."""
    waiting, seen = [content], set()
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, CONTAINERS):
            waiting.extend([*value, *value.values()] if isinstance(value, dict) else value)
            waiting.extend(getattr(value, '__dict__', {}).values())
        elif isinstance(value, argparse.Namespace):
            waiting.extend(vars(value).values())
        elif isinstance(value, LEAVES):
            if isinstance(value, torch.Tensor) and value.numel() < 10**6:
                value.clone().reshape(-1).tolist()
        elif not any(value is known for known in ALLOWED.values()):  # a mark such as the class itself
            return f'{type(value).__module__}.{type(value).__qualname__}'
    return ''


def attempt(path):
    """How the loading of one file ended; a list of one word and a detail."""
    signal.alarm(SECONDS)
    try:
        odd = strange(load_checkpoint_safely(path))
        return ['strange', odd] if odd else ['loaded', '']
    except ERRORS as error:
        named = str(path) in str(error)
        return ['refused' if named else 'nameless', f'{type(error).__name__}: {error}'[:200]]
    except BaseException as error:
        return ['unknown', f'{type(error).__name__}: {error}'[:200]]
    finally:
        signal.alarm(0)


def main(base, seed, first, end, folder):
    warnings.simplefilter('ignore')
    data, folder = Path(base).read_bytes(), Path(folder)
    torch.set_num_threads(1)
    used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    for number in range(int(first), int(end)):
        rng = random.Random(f'{seed} {Path(base).name} {number}')
        marker, path = folder / 'marker', folder / 'mutated.pth'
        mutated, note = mutate(data, rng, marker)
        path.write_bytes(mutated)
        print(json.dumps([number, note]), flush=True)
        outcome = attempt(path)
        if marker.exists() or len(list(folder.iterdir())) != 1:
            outcome = ['ran', str(sorted(folder.iterdir()))]
            marker.unlink(missing_ok=True)
        print(json.dumps([number, note, *outcome]), flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
