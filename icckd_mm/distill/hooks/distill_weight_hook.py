"""Changes the weight of distillation losses with the epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from icckd_mm.engine.runner_utils import unwrapped
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import HOOKS


def warmup_weight(epoch: int, start: int, epochs: int) -> float:
    """``min((epoch - start) / epochs, 1)``, at least 0; ``epoch`` counts from 1."""
    return min(max(epoch - start, 0) / epochs, 1.0)


def cosine_weight(epoch: int, start: int, epochs: int) -> float:
    """1 up to epoch ``start``, then half a cosine down to 0 within ``epochs``; ``epoch`` counts from 1."""
    return (1 + math.cos(math.pi * min(max(epoch - start, 0) / epochs, 1.0))) / 2


SCHEDULES = {'cosine': cosine_weight, 'warmup': warmup_weight}


@HOOKS.register_module()
class DistillWeightHook(Hook):
    r"""Multiplies named losses of a distiller by a weight that depends on the epoch; the cross-entropy stays as it is.

    With :math:`e` the epoch counted from 1, ``'warmup'`` is :math:`\min(\frac{e - start}{epochs}, 1)`, so the first of 20
    epochs has the weight 0.05. ``'cosine'`` is 1 up to ``start``, then
    :math:`\frac12(1 + \cos(\pi \frac{e - start}{epochs}))`. The weight follows from the runner's counters alone, so a resumed
    run continues with the same one.

    Args:
        losses: Names in ``distill_losses``.
        schedule: ``'warmup'`` or ``'cosine'``.
        epochs: How many epochs the change takes, at least 1. In a loop by iterations an epoch is as many batches as
            the loader has. None, for ``'cosine'`` only: until training ends.
        start: Epochs before the change begins.

    Raises:
        ValueError: If an argument is out of range or, before training, there is no distiller with these losses.

    Source: mdistiller's trainer for the warm-up, Zhao et al. 2022, arXiv 2203.08679; Lv et al. 2024, arXiv 2412.08139 for the
    cosine.
    """

    priority = 'LOW'

    def __init__(self, losses: Sequence[str], schedule: str = 'warmup', epochs: int | None = None, start: int = 0) -> None:
        if schedule not in SCHEDULES:
            raise ValueError(f'schedule must be one of {", ".join(SCHEDULES)}, got {schedule!r}')
        if isinstance(losses, str) or not losses:
            raise ValueError(f"losses must be a list of names in distill_losses, such as ['loss_dkd'], got {losses!r}")
        repeated = [name for number, name in enumerate(losses) if name in losses[:number]]
        if repeated:
            raise ValueError(f'losses names {repeated[0]!r} twice, which would apply the weight twice; name each loss once')
        if epochs is not None or schedule != 'cosine':
            check_count('epochs', epochs)
        check_count('start', start, least=0)
        self.losses, self.schedule, self.epochs, self.start = tuple(losses), schedule, epochs, start
        self.weight = 1.0
        self.handles: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        """Attach to the losses."""
        model = unwrapped(runner)
        if not hasattr(model, 'distiller'):
            raise ValueError(f'DistillWeightHook needs an mmrazor algorithm with a distiller, {type(model).__name__} has none')
        modules = model.distiller.distill_losses
        unknown = [name for name in self.losses if name not in modules]
        if unknown:
            raise ValueError(f'DistillWeightHook: {unknown[0]!r} is not a loss of the distiller; it has {", ".join(modules)}')

        def scaled(module: Any, inputs: Any, loss: Tensor) -> Tensor:
            return loss * self.weight

        self.handles = [modules[name].register_forward_hook(scaled) for name in self.losses]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Set the weight of this epoch."""
        length = len(runner.train_dataloader)
        epochs = self.epochs
        if epochs is None:
            epochs = max(math.ceil(runner.max_iters / length) - self.start, 1)
        self.weight = SCHEDULES[self.schedule](runner.iter // length + 1, self.start, epochs)

    def after_train(self, runner: Runner) -> None:
        """Leave the losses as they were."""
        for handle in self.handles:
            handle.remove()
