"""A frozen teacher's pass in half precision or with its channels last."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from mmrazor.models.task_modules import RecorderManager
from torch import Tensor, nn

from icckd_mm.functional.numerics import raised

DTYPES = {'bfloat16': torch.bfloat16, 'float16': torch.float16}


def check_teacher_dtype(dtype: str | None) -> None:
    """Raise ``ValueError`` unless a teacher can run in ``dtype``."""
    if dtype is not None and dtype not in DTYPES:
        raise ValueError(f'teacher_dtype must be None, as the student runs, or one of {", ".join(DTYPES)}, got {dtype!r}')


class TeacherPass(RecorderManager):
    """The recorders around the teacher's pass: it runs under autocast, and what they hold then is raised and contiguous.

    mmrazor enters its recorders for the pass that the student learns from and for no other, so that validation measures the
    teacher as it is. Autocast leaves the weights as they are.

    Args:
        recorders (RecorderManager): Of the teacher, connected to it.
        teacher (nn.Module): The teacher.
        dtype (str, optional): ``'bfloat16'`` or ``'float16'``; None leaves the precision to the student's step.
    """

    def __init__(self, recorders: RecorderManager, teacher: nn.Module, dtype: str | None) -> None:
        super().__init__()
        self._recorders = recorders.recorders
        self.teacher, self.dtype = teacher, dtype
        self.lowered: AbstractContextManager = nullcontext()

    @torch.compiler.disable  # mmrazor's part of the graph ends here anyway
    def __enter__(self) -> None:
        super().__enter__()
        if self.dtype is not None:
            self.lowered = torch.autocast(next(self.teacher.parameters()).device.type, DTYPES[self.dtype])
        self.lowered.__enter__()

    @torch.compiler.disable
    def __exit__(self, *error: Any) -> None:
        self.lowered.__exit__(*error)
        super().__exit__(*error)
        for recorder in self.recorders.values():
            recorder.data_buffer[:] = _plain(recorder.data_buffer)


def _plain(record: Any) -> Any:
    """Tensors of any nesting in at least single precision and in the order of memory that losses expect."""
    if isinstance(record, Tensor) and record.is_floating_point():
        return raised(record).contiguous()
    if isinstance(record, (tuple, list)):
        return (tuple if isinstance(record, tuple) else list)(map(_plain, record))
    return record
