"""Finds where the first NaN or infinity of a batch comes from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Callable

import torch
from mmengine.dist import get_world_size
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from icckd_mm.engine.runner_utils import preserved_randomness


class NonFiniteError(ValueError):
    """Training met a NaN or an infinity.

    Attributes:
        iteration: The first bad iteration, from 1 as in the log.
        losses: Names of the losses that were not finite.
        module: The first module with a non-finite output, or the parameter with a non-finite gradient.
        samples: ``sample_idx`` of the images.
    """

    def __init__(self, message: str, iteration: int, losses: list[str], module: str | None, samples: list[int]) -> None:
        super().__init__(message)
        self.iteration, self.losses, self.module, self.samples = iteration, losses, module, samples


def first_bad_module(
    model: nn.Module, batch: Any, context: Callable[[], AbstractContextManager]
) -> tuple[str, list[int]] | None:
    """Run ``batch`` once more and name the first module whose output is not finite; changes no state.

    Args:
        model: The model itself, not its DDP wrapper, in the mode to check.
        batch: What the data loader gave.
        context: Gives the context of the forward pass, such as autocast.

    Returns:
        Name of the module, and the rows of its output that are not finite. None if all are
        finite. With several processes losses are not run, since they exchange features.
    """
    found: list[tuple[str, list[int]]] = []

    def look(name: str, output: Any) -> None:
        rows = bad_rows(output) if not found else []
        if rows:
            found.append((name, rows))

    handles = [
        module.register_forward_hook(lambda _, __, output, name=name: look(name, output))
        for name, module in model.named_modules()
        if name
    ]
    try:
        with untouched_buffers(model), _same_randomness(), torch.no_grad(), context():
            data = model.data_preprocessor(batch, True)  # type: ignore[operator]
            model._run_forward(data, mode='loss' if get_world_size() == 1 else 'tensor')  # type: ignore[operator]
    finally:
        for handle in handles:
            handle.remove()
    return found[0] if found else None


def bad_rows(output: Any) -> list[int]:
    """The rows with a NaN or infinity in the first non-finite tensor of a nested output; ``[0]`` for a scalar."""
    if isinstance(output, Tensor):
        if not output.is_floating_point() or output.isfinite().all():
            return []
        return (~output.isfinite()).reshape(len(output) if output.ndim else 1, -1).any(1).nonzero().flatten().tolist()
    items = output.values() if isinstance(output, dict) else output if isinstance(output, (list, tuple)) else ()
    return next((rows for rows in map(bad_rows, items) if rows), [])


def bad_losses(losses: dict[str, Tensor]) -> dict[str, float]:
    """The losses that are not finite.

    Args:
        losses: What ``train_step`` returned: scalars. ``loss`` is the sum, or a classifier's own loss.
    """
    return {name: float(value) for name, value in losses.items() if 'loss' in name and not value.isfinite().all()}


def sample_indices(batch: Any) -> list[int]:
    """``sample_idx`` of each image of a batch; empty if the pipeline does not keep it."""
    samples = batch.get('data_samples') or [] if isinstance(batch, dict) else []
    indices = [sample.get('sample_idx') for sample in samples]
    return [] if None in indices else [int(index) for index in indices]


def norm_statistics(model: nn.Module) -> dict[str, Tensor]:
    """The running statistics of all batch norm layers, by their key in the state dict."""
    return {
        f'{prefix}.{name}' if prefix else name: buffer
        for prefix, module in model.named_modules()
        if isinstance(module, _NormBase)
        for name, buffer in module.named_buffers(recurse=False)
    }


@contextmanager
def untouched_buffers(model: nn.Module) -> Iterator[None]:
    """Restore the buffers (batch norm, queues) at the end of the block."""
    buffers = list(model.buffers())
    copies = [buffer.clone() for buffer in buffers]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, copy in zip(buffers, copies):
                buffer.copy_(copy)


@contextmanager
def _same_randomness() -> Iterator[None]:
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with preserved_randomness(), torch.random.fork_rng(devices=devices):
        yield
