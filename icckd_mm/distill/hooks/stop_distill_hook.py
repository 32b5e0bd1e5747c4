"""Ends the distillation part of the loss at an epoch."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from mmengine.device import get_device
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor

from icckd_mm.engine.unwrap import unwrapped
from icckd_mm.registry import HOOKS


@HOOKS.register_module()
class StopDistillHook(Hook):
    """Trains with the labels alone from an epoch on, for every algorithm of mmrazor with a ``ConfigurableDistiller``.

    mmrazor's hook leaves connectors without gradient, which ends DDP with "Expected to have finished reduction", and refuses
    ``SelfDistill``. Here the losses become 0 with a zero gradient for the distiller's parameters. It depends on the epoch
    only, so a resumed run stops at the same point.

    Args:
        stop_epoch (int): The first epoch, counted from 0, without distillation.

    Raises:
        ValueError: If ``stop_epoch`` is negative or, before training, there is no distiller or nothing else to train with.
    """

    priority = 'LOW'

    def __init__(self, stop_epoch: int) -> None:
        if not isinstance(stop_epoch, int) or stop_epoch < 0:
            raise ValueError(f'stop_epoch must be an integer of at least 0, got {stop_epoch!r}')
        self.stop_epoch = stop_epoch

    def before_train(self, runner: Runner) -> None:
        """Refuse what cannot work."""
        model = unwrapped(runner)
        if not hasattr(model, 'distiller'):
            raise ValueError(f'StopDistillHook stops the distiller of an algorithm of mmrazor, {type(model).__name__} has none')
        if not model.calculate_student_loss:
            raise ValueError('with calculate_student_loss=False nothing is left to train once distillation stops')

    def before_train_epoch(self, runner: Runner) -> None:
        """Put zeros in the place of the losses once the epoch is reached."""
        if runner.epoch >= self.stop_epoch:
            distiller = unwrapped(runner).distiller
            if 'compute_distill_losses' not in vars(distiller):
                runner.logger.info(f'distillation stops at epoch {runner.epoch}')
                distiller.compute_distill_losses = partial(zero_losses, distiller)


def zero_losses(distiller: Any) -> dict[str, Tensor]:
    """A zero for each loss; it depends on every trainable parameter of the distiller.

    Args:
        distiller (ConfigurableDistiller): The distiller of the algorithm.

    Returns:
        dict[str, Tensor]: Scalars by the name of the loss.
    """
    zero = torch.zeros((), device=get_device())
    for parameter in distiller.parameters():
        if parameter.requires_grad:
            zero = zero + 0 * parameter.sum()
    return dict.fromkeys(distiller.loss_forward_mappings, zero)
