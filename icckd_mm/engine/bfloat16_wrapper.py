"""bfloat16 training on any device. ``AmpOptimWrapper`` of mmengine refuses a machine without an accelerator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from mmengine.optim import OptimWrapper
from mmengine.runner.amp import autocast
from torch import nn

from icckd_mm.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class Bfloat16OptimWrapper(OptimWrapper):
    """``OptimWrapper`` whose losses are computed under bfloat16 autocast. Weights, gradients and checkpoints stay in float32.

    There is no ``GradScaler``: bfloat16 has the range of float32. A processor gains where it has instructions for bfloat16
    (``avx512_bf16`` or ``amx_bf16`` on Linux).

    Args:
        optimizer: As in ``OptimWrapper``.
        accumulative_counts: As in ``OptimWrapper``.
        clip_grad: As in ``OptimWrapper``.
    """

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The context of mmengine for a forward pass of ``model``, under autocast."""
        with super().optim_context(model), autocast(dtype=torch.bfloat16):
            yield
