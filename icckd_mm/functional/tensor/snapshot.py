"""What a compiled step read of a buffer before it changed the buffer."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def _copy(x: Tensor) -> Tensor:
    return x.clone()


_kept: Callable[[Tensor], Tensor] = _copy
if hasattr(torch.library, 'custom_op'):  # from PyTorch 2.4 on
    _kept = torch.library.custom_op('icckd_mm::snapshot', _copy, mutates_args=(), schema='(Tensor x) -> Tensor')
    _kept.register_fake(torch.empty_like)


def snapshot(x: Tensor) -> Tensor:
    """``x`` with its current values, in the backward pass too; without gradient.

    The default partitioner of ``torch.compile`` computes some values again in the backward pass. What depends on a buffer that
    the step has updated since is then wrong, without an error (pull request 197039 of PyTorch). Such a value of an operator
    that PyTorch does not know is saved instead. Without ``torch.compile`` this function returns ``x``.

    Args:
        x: A value that was read from a buffer, any shape and dtype.

    Returns:
        The same values.
    """
    return _kept(x.detach()) if torch.compiler.is_compiling() else x
