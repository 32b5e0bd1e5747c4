"""A ``pickle_module`` for ``torch.load`` that rebuilds what a checkpoint of mmengine holds and refuses everything else.

Every opcode that could name, call, hash or change an object is replaced by one that checks; those that a checkpoint does not
need are left out. What is allowed stands in ``safe_globals.py``.
"""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any, BinaryIO, Callable, ClassVar

import numpy as np
import torch

from .safe_globals import ALLOWED, RESTORE, RefusedGlobalError, call, check_key

PythonUnpickler: Any = pickle._Unpickler  # the one in C does not let single opcodes be replaced
# Globals by number from a table of the process, constructors with keywords, references of text pickles, buffers out of band.
LEFT_OUT = ('EXT1', 'EXT2', 'EXT4', 'NEWOBJ_EX', 'PERSID', 'NEXT_BUFFER', 'READONLY_BUFFER')
CODES = {getattr(pickle, name)[0] for name in LEFT_OUT}


class Unpickler(PythonUnpickler):
    """Reads a pickle with the globals of ``ALLOWED`` only."""

    record_size: Any = None  # a function of the storage's key: bytes of a storage in the file, where torch does not look
    dispatch: ClassVar[dict[int, Callable]] = {
        code: read for code, read in PythonUnpickler.dispatch.items() if code not in CODES
    }

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of a global; RefusedGlobalError if it has none."""
        module = {'__builtin__': 'builtins'}.get(module, module)  # the spelling of protocol 2
        name = {'xrange': 'range'}.get(name, name)
        if (module, name) not in ALLOWED:
            raise RefusedGlobalError(f'{module}.{name}')
        return ALLOWED[module, name]

    def load_reduce(self) -> None:
        """Calls a function or class; NEWOBJ creates an object in the same way."""
        arguments = self.stack.pop()
        self.stack[-1] = call(self.stack[-1], arguments)

    def _instantiate(self, kind: Any, arguments: list) -> None:
        self.append(call(kind, tuple(arguments)))  # INST and OBJ of text pickles

    def load_build(self) -> None:
        """Gives an object its state."""
        state = self.stack.pop()
        target = self.stack[-1]
        kind = np.dtype if isinstance(target, np.dtype) else type(target)
        if kind not in RESTORE:
            raise RefusedGlobalError(f'state for {getattr(target, "__name__", kind.__name__)}')
        RESTORE[kind](target, state)

    def load_setitem(self) -> None:
        """One entry of a dict."""
        value, key = self.stack.pop(), self.stack.pop()
        self._target(dict, OrderedDict, Counter, defaultdict)[check_key(key)] = value

    def load_setitems(self) -> None:
        """Several entries of a dict."""
        items = self.pop_mark()
        target = self._target(dict, OrderedDict, Counter, defaultdict)
        for key, value in zip(items[::2], items[1::2]):
            target[check_key(key)] = value

    def load_dict(self) -> None:
        """A dict as text pickles write it."""
        items = self.pop_mark()
        self.append({check_key(key): value for key, value in zip(items[::2], items[1::2])})

    def load_append(self) -> None:
        """One item of a list."""
        item = self.stack.pop()
        self._target(list, deque).append(item)

    def load_appends(self) -> None:
        """Several items of a list."""
        items = self.pop_mark()
        self._target(list, deque).extend(items)

    def load_additems(self) -> None:
        """Members of a set."""
        items = self.pop_mark()
        self._target(set).update(map(check_key, items))

    def load_frozenset(self) -> None:
        """A set that does not change."""
        items = self.pop_mark()
        self.append(frozenset(map(check_key, items)))

    def load_binpersid(self) -> None:
        """A storage: torch uses its fields as they are, and versions before 2.10 read behind the end of a record."""
        mark, kind, key, location, numel, *view = self.stack.pop()
        plain = all(type(text) in (str, bytes) for text in (mark, key, location)) and mark in ('storage', b'storage')
        parts = [numel, *(view[0][1:] if view and view[0] else ())]
        if not plain or location in ('meta', b'meta') or any(type(part) is not int or part < 0 for part in parts):
            raise pickle.UnpicklingError('a reference to something that is no storage')
        if view and view[0] is not None:
            check_key(view[0])
        dtype = getattr(kind, 'dtype', torch.uint8)  # UntypedStorage counts bytes
        if self.record_size is not None and numel * dtype.itemsize != self.record_size(key):
            raise pickle.UnpicklingError(f'storage {key!r} does not have {numel} elements of {dtype}')
        self.append(self.persistent_load((mark, kind, key, location, numel, *view)))

    def _target(self, *kinds: type) -> Any:
        target = self.stack[-1]
        if type(target) not in kinds:
            raise pickle.UnpicklingError(f'items for a {type(target).__name__}')
        return target

    for code, read in (
        ('REDUCE', load_reduce),
        ('NEWOBJ', load_reduce),
        ('BUILD', load_build),
        ('SETITEM', load_setitem),
        ('SETITEMS', load_setitems),
        ('DICT', load_dict),
        ('APPEND', load_append),
        ('APPENDS', load_appends),
        ('ADDITEMS', load_additems),
        ('FROZENSET', load_frozenset),
        ('BINPERSID', load_binpersid),
    ):
        dispatch[getattr(pickle, code)[0]] = read


def load(file: BinaryIO, **kwargs: Any) -> Any:
    """``pickle.load`` for the parts of a legacy file around its content: numbers, a dict, and the names of the storages."""
    part = Unpickler(file, **kwargs).load()
    for name in part if isinstance(part, (list, tuple)) else ():  # torch looks them up in a dict
        check_key(name)
    return part
