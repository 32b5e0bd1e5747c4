"""The globals that a checkpoint file may name, and their replacements.

Nothing is imported for a file. Files of mmengine's ``CheckpointHook`` hold ``HistoryBuffer`` objects, which need
``builtins.getattr`` and numpy's own functions; those of other projects an ``argparse.Namespace``. A global that is listed in
``CALLS`` may be called, with checked arguments; every other one is only a marker.
"""

from __future__ import annotations

import argparse
import collections
import pickle
from typing import Any, Callable

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from icckd_mm.compat.checkpoints.arrays import Array, array, dtype, restore_array, restore_dtype, restore_history, scalar
from icckd_mm.compat.checkpoints.tensors import DTYPES, STORAGES, parameter, tensor, tensor_of_dtype
from icckd_mm.compat.checkpoints.values import RefusedGlobalError, check_key, instance

HISTORY = 'mmengine.logging.history_buffer'
LONGEST_RANGE = 10**6
STATISTICS = ('min', 'max', 'current', 'mean')


def statistic(owner: Any, name: Any) -> str:
    """Replaces ``builtins.getattr``: returns the name of a statistic of ``HistoryBuffer``, never an object."""
    if instance(name, str) not in STATISTICS or owner is not HistoryBuffer:
        raise RefusedGlobalError(f'builtins.getattr of {name[:40]!r}')
    return name


def latin1(text: str, encoding: str) -> bytes:
    """Replaces ``_codecs.encode``, which encodes bytes in pickles of protocol 2."""
    if instance(encoding, str) not in ('latin1', 'latin-1'):
        raise RefusedGlobalError(f'_codecs.encode with {encoding[:40]!r}')
    return instance(text, str).encode('latin1')


def _keys(kind: type) -> Callable[[list], Any]:
    return lambda items: kind(map(check_key, instance(items, list, tuple)))


def _pairs(pairs: Any = ()) -> collections.OrderedDict:
    return collections.OrderedDict((check_key(key), value) for key, value in instance(pairs, list, tuple))


def _numbers(function: Callable, *kinds: type) -> Callable:
    return lambda *numbers: function(*(instance(number, *kinds) for number in numbers))


def _range(*numbers: int) -> range:
    made = _numbers(range, int)(*numbers)
    if len(made) > LONGEST_RANGE:  # a list of it would fill the memory
        raise pickle.UnpicklingError(f'a range of {len(made)} numbers')
    return made


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
    **{('torch', name): kind for name, kind in {**DTYPES, **STORAGES}.items()},
    **{('torch.cuda', name): kind for name, kind in STORAGES.items()},
    **{(module, name): new for module in ('numpy.core.multiarray', 'numpy._core.multiarray') for name, new in NUMPY.items()},
    ('torch.storage', 'UntypedStorage'): torch.uint8,  # counts bytes
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

AS_THEY_ARE: tuple[Any, ...] = (statistic, latin1, dtype, array, scalar, *TENSORS.values())
CALLS: dict[Any, Callable] = {
    **{new: new for new in AS_THEY_ARE},
    set: _keys(set),
    frozenset: _keys(frozenset),
    bytes: lambda: b'',
    bytearray: lambda data=b'', encoding='': bytearray(latin1(data, encoding) if encoding else instance(data, bytes)),
    slice: _numbers(slice, int, type(None)),
    range: _range,
    complex: _numbers(complex, float),
    collections.OrderedDict: _pairs,
    collections.Counter: lambda counts: collections.Counter(instance(counts, dict)),
    # Python frees deeply nested objects of these two recursively, which crashes the interpreter.
    collections.defaultdict: lambda factory=None: {},
    collections.deque: lambda items=(), length=None: list(instance(items, list, tuple)),
    torch.Size: lambda size: torch.Size([instance(n, int) for n in instance(size, list, tuple)]),
    torch.device: lambda kind, index=None: torch.device(
        *(instance(kind, str), *([] if index is None else [instance(index, int)]))
    ),
    argparse.Namespace: argparse.Namespace,
    HistoryBuffer: lambda: HistoryBuffer(),
}


def call(function: Any, arguments: tuple) -> Any:
    """The result of a call that a file asks for.

    Raises:
        RefusedGlobalError: If it is not allowed.
    """
    known = function in CALLS if callable(function) else False  # compared by identity: hashing a deep tuple could crash
    if not known:
        raise RefusedGlobalError(f'a call of {getattr(function, "__name__", type(function).__name__)}')
    return CALLS[function](*arguments)


def _restore_ordered_dict(target: collections.OrderedDict, state: Any) -> None:
    if list(instance(state, dict)) != ['_metadata']:
        raise RefusedGlobalError('an OrderedDict with attributes')
    instance(state['_metadata'], dict, collections.OrderedDict)
    vars(target).update(state)  # versions that Module.state_dict stores


def _restore_namespace(target: argparse.Namespace, state: Any) -> None:
    vars(target).update({instance(name, str): value for name, value in instance(state, dict).items()})


RESTORE: dict[type, Callable[[Any, Any], None]] = {
    np.dtype: restore_dtype,
    np.ndarray: restore_array,
    HistoryBuffer: restore_history,
    collections.OrderedDict: _restore_ordered_dict,
    argparse.Namespace: _restore_namespace,
}
