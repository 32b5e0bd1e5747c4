"""Replacements for torch's functions in the pickles of checkpoint files; each tensor must lie within its storage."""

from __future__ import annotations

import collections
import math
import pickle
from typing import Any

import torch

from icckd_mm.compat.checkpoints.values import instance

# Quantised, packed and sparse tensors are not supported: torch aborts the process on some forged ones.
_NAMES = [
    *('float64', 'float32', 'float16', 'bfloat16', 'complex128', 'complex64', 'bool'),
    *('int64', 'int32', 'int16', 'int8', 'uint8', 'uint64', 'uint32', 'uint16'),
    *('float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz'),
]
DTYPES = {name: getattr(torch, name) for name in _NAMES if hasattr(torch, name)}
STORAGES = {
    'DoubleStorage': torch.float64,
    'FloatStorage': torch.float32,
    'HalfStorage': torch.float16,
    'BFloat16Storage': torch.bfloat16,
    'ComplexDoubleStorage': torch.complex128,
    'ComplexFloatStorage': torch.complex64,
    'LongStorage': torch.int64,
    'IntStorage': torch.int32,
    'ShortStorage': torch.int16,
    'CharStorage': torch.int8,
    'ByteStorage': torch.uint8,
    'BoolStorage': torch.bool,
}
LARGEST_REPEAT = 2**26  # bytes of a tensor that repeats its storage, as ``expand`` makes them
MOST_DIMS = 64


def tensor(
    storage: Any, offset: int, size: tuple, stride: tuple, requires_grad: bool = False, hooks: Any = None, metadata: Any = None
) -> torch.Tensor:
    """Replaces ``_rebuild_tensor`` and ``_rebuild_tensor_v2``: a tensor within its storage, without hooks.

    Raises:
        pickle.UnpicklingError: If a number has another type than int, or the tensor does not lie within its storage.
    """
    if not isinstance(storage, torch.storage.TypedStorage) or (metadata is not None and metadata != {}):
        raise pickle.UnpicklingError('a tensor without a storage or with metadata')
    if instance(hooks, type(None), collections.OrderedDict):
        raise pickle.UnpicklingError('a tensor with hooks')
    numbers = (offset, *instance(size, tuple, torch.Size), *instance(stride, tuple))
    if len(size) != len(stride) or len(size) > MOST_DIMS or any(type(n) is not int or not 0 <= n < 2**48 for n in numbers):
        raise pickle.UnpicklingError('a tensor whose shape, stride or offset is not made of sizes')
    memory, width = storage._untyped_storage, storage.dtype.itemsize
    end = offset + sum((n - 1) * step for n, step in zip(size, stride)) + 1 if all(size) else 0
    if end * width > memory.nbytes() or math.prod(n or 1 for n in size) >= 2**48:  # torch would enlarge the storage to fit
        raise pickle.UnpicklingError(f'a tensor of shape {size} and stride {stride} that exceeds its {memory.nbytes()} bytes')
    if math.prod(size) * width > max(memory.nbytes(), LARGEST_REPEAT):
        raise pickle.UnpicklingError(f'a tensor of shape {size} that repeats {memory.nbytes()} bytes')
    view = torch.empty((0,), dtype=storage.dtype, device=memory.device).set_(memory, offset, size, stride)
    return view.requires_grad_(instance(requires_grad, bool))


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
    """Replaces ``_rebuild_tensor_v3``, for dtypes without a storage class in torch."""
    memory = instance(storage, torch.storage.TypedStorage)._untyped_storage
    typed = torch.storage.TypedStorage(wrap_storage=memory, dtype=instance(kind, torch.dtype), _internal=True)
    return tensor(typed, offset, size, stride, requires_grad, hooks, metadata)


def parameter(data: Any, requires_grad: bool, hooks: Any) -> torch.nn.Parameter:
    """Replaces ``_rebuild_parameter``, without hooks."""
    if instance(hooks, type(None), collections.OrderedDict):
        raise pickle.UnpicklingError('a parameter with hooks')
    return torch.nn.Parameter(instance(data, torch.Tensor), instance(requires_grad, bool))
