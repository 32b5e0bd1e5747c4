"""Reads the pickle of a checkpoint: rebuilds the content of mmengine's checkpoints and refuses everything else.

Only the opcodes of protocols 2 to 4 are supported. Those that name, call, hash or change an object check it first;
``globals.py`` lists what is allowed. The size of a file limits what it may build.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict
from typing import Any, BinaryIO, Callable, ClassVar

import numpy as np
import torch

from icckd_mm.compat.checkpoints.globals import ALLOWED, RESTORE, call
from icckd_mm.compat.checkpoints.values import RefusedGlobalError, check_key, instance

PythonUnpickler: Any = pickle._Unpickler  # single opcodes of the C version cannot be replaced
KNOWN = [
    *('PROTO', 'FRAME', 'STOP', 'MARK', 'POP', 'POP_MARK', 'BINGET', 'LONG_BINGET', 'BINPUT', 'LONG_BINPUT', 'MEMOIZE'),
    *('NONE', 'NEWTRUE', 'NEWFALSE', 'BININT', 'BININT1', 'BININT2', 'LONG1', 'BINFLOAT', 'BINSTRING', 'SHORT_BINSTRING'),
    *('BINBYTES', 'SHORT_BINBYTES', 'BINBYTES8', 'BINUNICODE', 'SHORT_BINUNICODE', 'BINUNICODE8', 'GLOBAL', 'STACK_GLOBAL'),
    *('EMPTY_TUPLE', 'TUPLE', 'TUPLE1', 'TUPLE2', 'TUPLE3', 'EMPTY_LIST', 'EMPTY_DICT'),
]
DICTS = (dict, OrderedDict, Counter)
CALL_COST = 8  # bytes of a file per allowed call; the largest results take about 800 bytes of memory
WEIGHTS: dict[type, int] = {
    str: 1,
    bytes: 1,
    bytearray: 1,
    list: 2,
    tuple: 2,
    dict: 2,
    OrderedDict: 2,
}  # bounded by the length of an argument
FLOOR = 100_000  # always allowed, also for a small file

LoadStorage = Callable[[str, torch.dtype, int, str], torch.UntypedStorage]


class Unpickler(PythonUnpickler):
    """Reads a pickle with the globals of ``ALLOWED`` only.

    Args:
        file: Stream at the start of the pickle.
        size: Bytes of the whole file; it limits lengths, calls and copies.
        load_storage: Makes a storage from its key, dtype, size in bytes and location; without it storages are refused.
    """

    dispatch: ClassVar[dict[int, Callable]] = {
        getattr(pickle, name)[0]: PythonUnpickler.dispatch[getattr(pickle, name)[0]] for name in KNOWN
    }

    def __init__(self, file: BinaryIO, size: int, load_storage: LoadStorage | None = None) -> None:
        super().__init__(file, encoding='utf-8')
        self._file = file
        self.size, self.budget, self.load_storage = size, size + FLOOR, load_storage
        self.storages: dict[str, torch.storage.TypedStorage] = {}
        self._file_read = self._read

    def _read(self, count: int) -> bytes:
        if count > self.size:  # Python would allocate before reading
            raise pickle.UnpicklingError(f'a value of {count} bytes in a file of {self.size}')
        return self._file.read(count)

    def _pay(self, *arguments: Any) -> None:
        """Refuse files that build or copy more than their size explains."""
        self.budget -= CALL_COST + sum(WEIGHTS[type(value)] * len(value) for value in arguments if type(value) in WEIGHTS)
        if self.budget < 0:
            raise pickle.UnpicklingError(f'more objects than a checkpoint of {self.size} bytes holds')

    def find_class(self, module: str, name: str) -> Any:
        """The replacement of a global; RefusedGlobalError if it has none."""
        module = {'__builtin__': 'builtins'}.get(module, module)  # the spelling of protocol 2
        name = {'xrange': 'range'}.get(name, name)
        if (module, name) not in ALLOWED:
            raise RefusedGlobalError(f'{module}.{name}'[:200])
        return ALLOWED[module, name]

    def load_reduce(self) -> None:
        """Calls a function or class; NEWOBJ creates an object in the same way."""
        arguments = instance(self.stack.pop(), tuple)
        self._pay(*arguments)
        self.stack[-1] = call(self.stack[-1], arguments)

    def load_build(self) -> None:
        """Gives an object its state."""
        state = self.stack.pop()
        target = self.stack[-1]
        kind = np.dtype if isinstance(target, np.dtype) else type(target)
        if kind not in RESTORE:
            raise RefusedGlobalError(f'state for {getattr(target, "__name__", kind.__name__)}')
        self._pay(*(state if type(state) is tuple else (state,)))
        RESTORE[kind](target, state)

    def load_setitem(self) -> None:
        """One entry of a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        instance(self.stack[-1], *DICTS)[check_key(key)] = value

    def load_setitems(self) -> None:
        """Several entries of a dict."""
        items = self.pop_mark()
        target = instance(self.stack[-1], *DICTS)
        for key, value in zip(items[::2], items[1::2]):
            target[check_key(key)] = value

    def load_append(self) -> None:
        """One item of a list."""
        item = self.stack.pop()
        instance(self.stack[-1], list).append(item)

    def load_appends(self) -> None:
        """Several items of a list."""
        items = self.pop_mark()
        instance(self.stack[-1], list).extend(items)

    def load_empty_set(self) -> None:
        """A set; one byte of the file makes 200 of memory."""
        self._pay()
        self.append(set())

    def load_additems(self) -> None:
        """Members of a set."""
        items = self.pop_mark()
        instance(self.stack[-1], set).update(map(check_key, items))

    def load_frozenset(self) -> None:
        """A set that does not change."""
        items = self.pop_mark()
        self._pay()
        self.append(frozenset(map(check_key, items)))

    def load_binpersid(self) -> None:
        """A storage from its name, type, key, location and number of elements."""
        mark, kind, key, location, numel, *view = instance(self.stack.pop(), tuple)
        mark, key, location = (text.decode() if type(text) is bytes else instance(text, str) for text in (mark, key, location))
        if self.load_storage is None or mark != 'storage' or location == 'meta' or any(part is not None for part in view):
            raise pickle.UnpicklingError('a reference to something other than a storage with data of its own')
        count = instance(numel, int) * instance(kind, torch.dtype).itemsize
        if not 0 <= count <= self.size:
            raise pickle.UnpicklingError(f'a storage of {count} bytes in a file of {self.size}')
        self._pay()
        if key not in self.storages:
            memory = self.load_storage(key, kind, count, location)
            self.storages[key] = torch.storage.TypedStorage(wrap_storage=memory, dtype=kind, _internal=True)
        storage = self.storages[key]
        if storage.dtype != kind or storage._untyped_storage.nbytes() != count:
            raise pickle.UnpicklingError(f'storage {key[:40]!r} has two types or sizes')
        self.append(storage)

    for code, read in (
        ('REDUCE', load_reduce),
        ('NEWOBJ', load_reduce),
        ('BUILD', load_build),
        ('SETITEM', load_setitem),
        ('SETITEMS', load_setitems),
        ('APPEND', load_append),
        ('APPENDS', load_appends),
        ('EMPTY_SET', load_empty_set),
        ('ADDITEMS', load_additems),
        ('FROZENSET', load_frozenset),
        ('BINPERSID', load_binpersid),
    ):
        dispatch[getattr(pickle, code)[0]] = read
