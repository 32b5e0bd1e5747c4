"""Runs a frozen teacher in half precision or channels-last memory format."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

import torch
from mmpretrain.structures import DataSample
from mmrazor.models.task_modules import RecorderManager
from torch import Tensor, nn

from icckd_mm.functional.tensor.numerics import raised

DTYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}


def check_teacher_dtype(dtype: str | None) -> None:
    """Raise ``ValueError`` unless a teacher can run in ``dtype``."""
    if dtype is not None and dtype not in DTYPES:
        raise ValueError(f'teacher_dtype must be None (as the student) or one of {", ".join(DTYPES)}, got {dtype!r}')


class KnownRows(Protocol):
    """Logits that are known without a pass of the teacher, see :class:`icckd_mm.TeacherCacheHook`."""

    def read(self, inputs: Tensor, samples: list[DataSample] | None) -> Tensor | None:
        """Logits ``(B, C)`` of a batch; None if the teacher must run."""

    def write(self, inputs: Tensor, samples: list[DataSample] | None, logits: Tensor) -> None:
        """Store the logits of a batch after a pass of the teacher."""


def lowered(teacher: nn.Module, dtype: str | None) -> AbstractContextManager:
    """Autocast to ``dtype`` for a pass of ``teacher``, without a change to its weights; None does nothing."""
    return nullcontext() if dtype is None else torch.autocast(next(teacher.parameters()).device.type, DTYPES[dtype])


def only_recorder(recorders: RecorderManager) -> Any:
    """The recorder, if there is exactly one."""
    (recorder,) = recorders.recorders.values()
    return recorder


def raise_records(recorders: RecorderManager) -> None:
    """Make all recorded tensors contiguous and at least single precision, which losses expect."""
    for recorder in recorders.recorders.values():
        recorder.data_buffer[:] = _plain(recorder.data_buffer)


def _plain(record: Any) -> Any:
    """Nested tensors in at least single precision and in the memory format that losses expect."""
    if isinstance(record, Tensor) and record.is_floating_point():
        return raised(record).contiguous()
    if isinstance(record, (tuple, list)):
        return (tuple if isinstance(record, tuple) else list)(map(_plain, record))
    return record
