"""A ``pickle_module`` for ``torch.load`` that rebuilds what a checkpoint of mmengine holds and refuses everything else.

Files written by mmengine's ``CheckpointHook`` hold ``HistoryBuffer`` objects, which need ``builtins.getattr`` and numpy's own
functions. Each global that a file may name is given a stand-in from ``ALLOWED``; nothing is imported for a file. The opcode
BUILD, with which a file could set attributes of functions and classes, works on four exact types only.
"""

from __future__ import annotations

import collections
import math
import pickle
import re
from typing import Any, BinaryIO, Callable, ClassVar

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

STATISTICS = ('min', 'max', 'current', 'mean')


class RefusedGlobalError(pickle.UnpicklingError):
    """A file asks for a class or function that has no place in a checkpoint; the message is its name."""


class Buffer:
    """Stands for ``HistoryBuffer`` in a file: an instance of it is a fresh ``HistoryBuffer``."""

    def __new__(cls) -> Any:
        return HistoryBuffer()


class Array:
    """Stands for ``numpy.ndarray`` in a file; it cannot be called, only ``_reconstruct`` takes it."""

    def __new__(cls) -> Any:
        raise RefusedGlobalError('numpy.ndarray')


def statistic(owner: Any, name: Any) -> str:
    """Stands for ``builtins.getattr``: the name of a statistic of ``HistoryBuffer``, and no object at all."""
    if owner is not Buffer or name not in STATISTICS:
        raise RefusedGlobalError(f'builtins.getattr of {name!r}')
    return name


def latin1(text: str, encoding: str) -> bytes:
    """Stands for ``_codecs.encode``, which holds bytes in pickles of protocol 2."""
    if encoding != 'latin1':
        raise RefusedGlobalError(f'_codecs.encode with {encoding!r}')
    return text.encode('latin1')


def dtype(name: str, align: bool, copy: bool) -> np.dtype:
    """Stands for ``numpy.dtype``: booleans, numbers, strings; no structures."""
    if not re.fullmatch(r'[biufcSU]\d+', name):
        raise RefusedGlobalError(f'numpy.dtype of {name!r}')
    return np.dtype(name, bool(align), True)


def array(subtype: Any, shape: Any, kind: Any) -> np.ndarray:
    """Stands for numpy's ``_reconstruct``: an empty array, which BUILD fills."""
    if subtype is not Array:
        raise RefusedGlobalError('numpy reconstruction of a subclass')
    return np.empty(0, np.int8)


def scalar(kind: np.dtype, data: bytes) -> Any:
    """Stands for numpy's ``scalar``."""
    return np.frombuffer(data, kind, count=1)[0]


NUMPY = {'_reconstruct': array, 'scalar': scalar}
PLAIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, slice, range)
COLLECTIONS = (collections.OrderedDict, collections.Counter, collections.defaultdict, collections.deque)
REBUILD = ('_rebuild_tensor', '_rebuild_tensor_v2', '_rebuild_parameter', '_rebuild_qtensor')

ALLOWED: dict[tuple[str, str], Any] = {
    **{('builtins', plain.__name__): plain for plain in PLAIN},
    **{('collections', plain.__name__): plain for plain in COLLECTIONS},
    **{('torch._utils', name): getattr(torch._utils, name) for name in REBUILD},
    **{('torch', name): value for name, value in vars(torch).items() if isinstance(value, (torch.dtype, torch.qscheme))},
    **{(module, name): new for module in ('numpy.core.multiarray', 'numpy._core.multiarray') for name, new in NUMPY.items()},
    ('torch', 'Size'): torch.Size,
    ('torch', 'device'): torch.device,
    ('numpy', 'ndarray'): Array,
    ('numpy', 'dtype'): dtype,
    ('_codecs', 'encode'): latin1,
    ('builtins', 'getattr'): statistic,
    ('mmengine.logging.history_buffer', 'HistoryBuffer'): Buffer,
}


PythonUnpickler: Any = pickle._Unpickler  # the one in C does not let BUILD be replaced
EXTENSIONS = {pickle.EXT1[0], pickle.EXT2[0], pickle.EXT4[0]}  # globals by number, from a table of the process


class Unpickler(PythonUnpickler):
    """Reads a pickle with the globals of ``ALLOWED`` only."""

    dispatch: ClassVar[dict[int, Callable]] = {
        code: read for code, read in PythonUnpickler.dispatch.items() if code not in EXTENSIONS
    }

    def find_class(self, module: str, name: str) -> Any:
        """The stand-in of a global; RefusedGlobalError if it has none."""
        module = {'__builtin__': 'builtins'}.get(module, module)  # the spelling of protocol 2
        name = {'xrange': 'range'}.get(name, name)
        if (module, name) not in ALLOWED:
            raise RefusedGlobalError(f'{module}.{name}')
        return ALLOWED[module, name]

    def load_build(self) -> None:
        """Gives an object its state."""
        state = self.stack.pop()
        target = self.stack[-1]
        kind = np.dtype if isinstance(target, np.dtype) else type(target)
        if kind not in RESTORE:
            raise RefusedGlobalError(f'state for {getattr(target, "__name__", kind.__name__)}')
        RESTORE[kind](target, state)

    dispatch[pickle.BUILD[0]] = load_build


def load(file: BinaryIO, **kwargs: Any) -> Any:
    """``pickle.load`` with the restricted unpickler."""
    return Unpickler(file, **kwargs).load()


def _restore_dtype(target: Any, state: tuple) -> None:
    own = target.__reduce__()[2]  # version, byte order, five fields that only structures and datetimes use, flags
    if (state[0], *state[2:]) != (own[0], *own[2:]):
        raise RefusedGlobalError('numpy.dtype with fields')
    target.__setstate__(state)


def _restore_array(target: np.ndarray, state: tuple) -> None:
    _, shape, kind, _, data = state
    if not isinstance(kind, np.dtype) or kind.hasobject or not isinstance(data, bytes):
        raise RefusedGlobalError('numpy.ndarray of objects')
    if min(shape, default=0) < 0 or math.prod(shape) * kind.itemsize != len(data):
        raise pickle.UnpicklingError(f'an array of shape {shape} and {kind} does not have {len(data)} bytes')
    target.__setstate__(state)


def _restore_history(target: HistoryBuffer, state: dict) -> None:
    log, count, length = state['_log_history'], state['_count_history'], state['max_length']
    if type(log) is not np.ndarray or type(count) is not np.ndarray or type(length) is not int:
        raise pickle.UnpicklingError('a HistoryBuffer does not hold two arrays and a length')
    vars(target).update(_log_history=log, _count_history=count, max_length=length)  # the statistics are those of the class


def _restore_ordered_dict(target: collections.OrderedDict, state: dict) -> None:
    if set(state) != {'_metadata'}:
        raise RefusedGlobalError('an OrderedDict with attributes')
    vars(target).update(state)  # what Module.state_dict notes about versions


RESTORE: dict[type, Callable[[Any, Any], None]] = {
    np.dtype: _restore_dtype,
    np.ndarray: _restore_array,
    HistoryBuffer: _restore_history,
    collections.OrderedDict: _restore_ordered_dict,
}
