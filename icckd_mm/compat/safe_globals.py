"""What a checkpoint may hold besides plain values: each global that a file may name, and what stands in for it.

Nothing is imported for a file. Files of mmengine's ``CheckpointHook`` hold ``HistoryBuffer`` objects, which need
``builtins.getattr`` and numpy's own functions; those of other projects an ``argparse.Namespace``. A global that is listed in
``CALLS`` may be called, with arguments that are checked; every other one is a mere mark.
"""

from __future__ import annotations

import argparse
import collections
import math
import pickle
import re
from typing import Any, Callable

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

HISTORY = 'mmengine.logging.history_buffer'
STATISTICS = ('min', 'max', 'current', 'mean')
ATOMS = (bool, int, float, complex, str, bytes, type(None), torch.dtype)


class RefusedGlobalError(pickle.UnpicklingError):
    """A file asks for a class or function that has no place in a checkpoint; the message is its name."""


class Array:
    """Stands for ``numpy.ndarray``, which cannot be called; only ``_reconstruct`` takes it."""


def check_key(key: Any) -> Any:
    """A key of a dict, as it is: plain, or a tuple of plain values. Hashing a deep tuple would crash the interpreter."""
    for atom in key if type(key) is tuple else (key,):
        if type(atom) not in ATOMS and not isinstance(atom, np.generic):
            raise pickle.UnpicklingError(f'a {type(atom).__name__} inside of a key')
    return key


def _instance(value: Any, *kinds: type) -> Any:
    if type(value) not in kinds:  # exact, so that no range and no lazy sequence is unrolled
        raise pickle.UnpicklingError(f'a {type(value).__name__} where {" or ".join(kind.__name__ for kind in kinds)} is wanted')
    return value


def statistic(owner: Any, name: Any) -> str:
    """Stands for ``builtins.getattr``: the name of a statistic of ``HistoryBuffer``, and no object at all."""
    if owner is not HistoryBuffer or name not in STATISTICS:
        raise RefusedGlobalError(f'builtins.getattr of {name!r}')
    return name


def latin1(text: str, encoding: str) -> bytes:
    """Stands for ``_codecs.encode``, which holds bytes in pickles of protocol 2."""
    if encoding not in ('latin1', 'latin-1'):
        raise RefusedGlobalError(f'_codecs.encode with {encoding!r}')
    return _instance(text, str).encode('latin1')


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
    return np.frombuffer(_instance(data, bytes), kind, count=1)[0]


def tensor(
    storage: Any, offset: int, size: tuple, stride: tuple, requires_grad: bool = False, hooks: Any = None, metadata: Any = None
) -> torch.Tensor:
    """Stands for ``_rebuild_tensor`` and ``_rebuild_tensor_v2``: a tensor that lies within its storage, without hooks."""
    if not isinstance(storage, torch.storage.TypedStorage) or hooks or metadata or len(size) != len(stride):
        raise pickle.UnpicklingError('a tensor without a storage, with hooks, or with metadata')
    if min((offset, *size, *stride)) < 0 or math.prod(size) >= 2**48:  # torch itself would enlarge the storage to fit
        raise pickle.UnpicklingError(f'a tensor of shape {size}, stride {stride} and offset {offset}')
    end = offset + sum((n - 1) * step for n, step in zip(size, stride)) + 1 if all(size) else 0
    memory = storage._untyped_storage
    if end * storage.dtype.itemsize > memory.nbytes():
        raise pickle.UnpicklingError(
            f'a tensor of shape {size} and stride {stride} that ends behind its {memory.nbytes()} bytes'
        )
    view = torch.empty((0,), dtype=storage.dtype, device=memory.device).set_(memory, offset, size, stride)
    return view.requires_grad_(bool(requires_grad))


def tensor_of_dtype(
    storage: Any,
    offset: int,
    size: tuple,
    stride: tuple,
    requires_grad: bool,
    hooks: Any,
    kind: torch.dtype,
    metadata: Any = None,
) -> torch.Tensor:
    """Stands for ``_rebuild_tensor_v3``, of dtypes for which torch has no class of storages."""
    memory = _instance(storage, torch.storage.TypedStorage)._untyped_storage
    typed = torch.storage.TypedStorage(wrap_storage=memory, dtype=_instance(kind, torch.dtype), _internal=True)
    return tensor(typed, offset, size, stride, requires_grad, hooks, metadata)


def parameter(data: Any, requires_grad: bool, hooks: Any) -> torch.nn.Parameter:
    """Stands for ``_rebuild_parameter``, without hooks."""
    if hooks:
        raise pickle.UnpicklingError('a parameter with hooks')
    return torch.nn.Parameter(_instance(data, torch.Tensor), bool(requires_grad))


def _keys(kind: type) -> Callable[[list], Any]:
    return lambda items: kind(map(check_key, _instance(items, list, tuple)))


PLAIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, slice, range)
COLLECTIONS = (collections.OrderedDict, collections.Counter, collections.defaultdict, collections.deque)
TENSORS: dict[str, Callable] = {
    '_rebuild_tensor': tensor,
    '_rebuild_tensor_v2': tensor,
    '_rebuild_tensor_v3': tensor_of_dtype,
    '_rebuild_parameter': parameter,
}
NUMPY = {'_reconstruct': array, 'scalar': scalar}

ALLOWED: dict[tuple[str, str], Any] = {
    **{('builtins', plain.__name__): plain for plain in PLAIN},
    **{('collections', plain.__name__): plain for plain in COLLECTIONS},
    **{('torch._utils', name): new for name, new in TENSORS.items()},
    **{('torch', name): value for name, value in vars(torch).items() if isinstance(value, torch.dtype)},
    **{(module, name): new for module in ('numpy.core.multiarray', 'numpy._core.multiarray') for name, new in NUMPY.items()},
    ('torch.storage', 'UntypedStorage'): torch.UntypedStorage,  # a mark, it cannot be called
    ('torch', 'Size'): torch.Size,
    ('torch', 'device'): torch.device,
    ('numpy', 'ndarray'): Array,
    ('numpy', 'dtype'): dtype,
    ('_codecs', 'encode'): latin1,
    ('builtins', 'getattr'): statistic,
    ('argparse', 'Namespace'): argparse.Namespace,
    (HISTORY, 'HistoryBuffer'): HistoryBuffer,
    **{(HISTORY, f'HistoryBuffer.{name}'): name for name in STATISTICS},  # the spelling of protocol 4
}

AS_THEY_ARE: tuple[Any, ...] = (statistic, latin1, dtype, array, scalar, *TENSORS.values(), slice, complex, range, torch.device)
CALLS: dict[Any, Callable] = {
    **{new: new for new in AS_THEY_ARE},
    set: _keys(set),
    frozenset: _keys(frozenset),
    bytes: lambda: b'',
    bytearray: lambda data=b'', encoding='': bytearray(latin1(data, encoding) if encoding else _instance(data, bytes)),
    collections.OrderedDict: lambda pairs=(): collections.OrderedDict((check_key(key), value) for key, value in pairs),
    collections.Counter: lambda counts: collections.Counter(_instance(counts, dict)),
    collections.defaultdict: lambda factory: collections.defaultdict(factory if factory in PLAIN else None),
    collections.deque: lambda items=(), length=None: collections.deque(_instance(items, list, tuple), length),
    torch.Size: lambda size: torch.Size(_instance(size, list, tuple)),
    argparse.Namespace: argparse.Namespace,
    HistoryBuffer: lambda: HistoryBuffer(),
}


def call(function: Any, arguments: Any) -> Any:
    """The result of a call that a file asks for; RefusedGlobalError if it may not be made."""
    known = function in CALLS if callable(function) else False  # a deep tuple cannot be called and is not hashed
    if not known:
        raise RefusedGlobalError(f'a call of {getattr(function, "__name__", type(function).__name__)}')
    return CALLS[function](*_instance(arguments, tuple))


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
    if list(_instance(state, dict)) != ['_metadata']:
        raise RefusedGlobalError('an OrderedDict with attributes')
    vars(target).update(state)  # what Module.state_dict notes about versions


def _restore_namespace(target: argparse.Namespace, state: dict) -> None:
    vars(target).update({_instance(name, str): value for name, value in _instance(state, dict).items()})


RESTORE: dict[type, Callable[[Any, Any], None]] = {
    np.dtype: _restore_dtype,
    np.ndarray: _restore_array,
    HistoryBuffer: _restore_history,
    collections.OrderedDict: _restore_ordered_dict,
    argparse.Namespace: _restore_namespace,
}
