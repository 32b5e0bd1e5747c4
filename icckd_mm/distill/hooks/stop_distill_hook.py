"""Ends distillation at an epoch."""

from __future__ import annotations

from functools import partial
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from icckd_mm.distill.zero_losses import zero_losses
from icckd_mm.engine.runner_utils import unwrapped
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import HOOKS


@HOOKS.register_module()
class StopDistillHook(Hook):
    """Trains with labels only from an epoch on, for every mmrazor algorithm with a ``ConfigurableDistiller``.

    mmrazor's hook leaves connectors without gradient, which ends DDP with "Expected to have finished reduction", and refuses
    ``SelfDistill``. Here the losses become 0 with a zero gradient for the distiller's parameters. It depends on the epoch
    only, so a resumed run stops at the same point.

    Args:
        stop_epoch: The first epoch, counted from 0, without distillation. In a loop by iterations an epoch is as many
            batches as the loader has.

    Raises:
        ValueError: If ``stop_epoch`` is negative or, before training, there is no distiller or no other loss.
    """

    priority = 'LOW'

    def __init__(self, stop_epoch: int) -> None:
        check_count('stop_epoch', stop_epoch, least=0)
        self.stop_epoch = stop_epoch

    def before_train(self, runner: Runner) -> None:
        """Check that the run can train without distillation."""
        model = unwrapped(runner)
        if not hasattr(model, 'distiller'):
            raise ValueError(f'StopDistillHook needs an mmrazor algorithm with a distiller, {type(model).__name__} has none')
        if not model.calculate_student_loss:
            raise ValueError('with calculate_student_loss=False nothing is left to train once distillation stops')

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Stop the distillation once the epoch is reached; a loop by iterations counts no epochs, so that batches tell."""
        epoch = runner.iter // len(runner.train_dataloader)
        if epoch >= self.stop_epoch and _stop(unwrapped(runner)):
            runner.logger.info(f'distillation stops at epoch {epoch}')


def _stop(model: Any) -> bool:
    """Stop the distillation of an algorithm; False if it has stopped already."""
    if hasattr(model, 'distils'):
        distilled, model.distils = model.distils, False
        return distilled
    if 'compute_distill_losses' in vars(model.distiller):
        return False
    # mmrazor's own algorithms have no such state
    model.distiller.compute_distill_losses = partial(zero_losses, model.distiller)
    return True
