"""Stops a run at the first NaN or infinity, before it reaches the weights."""

from __future__ import annotations

from collections import deque
from typing import Any

import torch
from mmengine.hooks import CheckpointHook, Hook
from mmengine.optim import OptimWrapper, OptimWrapperDict
from mmengine.runner import Runner
from torch import Tensor

from icckd_mm.engine.finite.fault_report import ADVICE, Step, fault_error, last_file
from icckd_mm.engine.finite.guarded_step import GuardedStep
from icckd_mm.engine.finite.non_finite import NonFiniteError, bad_rows, norm_statistics
from icckd_mm.engine.runner_utils import unwrapped
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import HOOKS

SKIPPED = 'finite_guard_skipped'  # in the message hub, hence in the checkpoint


@HOOKS.register_module()
class FiniteGuardHook(Hook):
    """Skips each update with a non-finite loss or gradient and stops the run with a message that says where it came from.

    Goes into the slot ``default_hooks.finite_guard`` of any mmengine config with one optimizer, plain, accumulating, clipping
    or under AMP. Loss and gradients are checked after each backward pass, before clipping and update. The bad update is
    skipped: weights, optimizer state and batch norm statistics do not change (with accumulation all batches of that update are
    lost). The error names the iteration, the losses, the first module with a non-finite output (the batch is run again) or the
    parameter with a non-finite gradient, and ``sample_idx`` of the images. A checkpoint with non-finite weights is not written,
    so the last file is good. Validation and test are not checked.

    On a CPU the host checks each step. On a GPU it does not wait: the update is undone on the device, and the host checks
    every ``interval`` iterations, before validation, at the end of an epoch and when a checkpoint is due. It then loads the
    images from the data set again to find the module, and says so if the fault does not come back. Set ``fused=True`` in the
    optimizer: it then skips the bad update by itself, any other torch optimizer is copied before each update (see
    :func:`.undone_where`). Batch norm statistics return to those of the last look. This deferred mode
    is tested on the CPU with ``mode='deferred'``; it was not run on CUDA.

    What is not undone: rows with a non-finite feature never enter a queue, but the finite ones of a batch whose gradient is not
    finite, or overflows under AMP, stay there. An overflow under AMP is not a fault while the ``GradScaler`` can lower its
    scale (above 1); the scaler skips that update and batch norm keeps the batch. With a fixed ``loss_scale`` above 1 only the
    loss can be a fault. An update that overflows with finite gradients (a huge learning rate) shows in the next forward pass.

    Args:
        interval: Iterations between two checks when deferred. Defaults to 50.
        skip: Updates that may be skipped in the whole run, resumed or not, before it stops. Defaults to 0.
        mode: ``'immediate'``: check each step; ``'deferred'``: every ``interval``; ``'auto'``: deferred on CUDA;
            ``'off'``: never (mmengine refuses ``None`` for a default hook). Defaults to ``'auto'``.

    Raises:
        ValueError: If an argument is out of range or the run has several optimizers.
        NonFiniteError: In training, see above; a ``ValueError``.
    """

    priority = 'VERY_HIGH'  # before EMA, log and checkpoint see the step

    def __init__(self, interval: int = 50, skip: int = 0, mode: str = 'auto') -> None:
        check_count('interval', interval)
        check_count('skip', skip, least=0)
        if mode not in ('auto', 'immediate', 'deferred', 'off'):
            raise ValueError(f"mode must be 'auto', 'immediate', 'deferred' or 'off', got {mode!r}")
        self.guard: GuardedStep | None = None
        self.interval, self.skip, self.mode = interval, skip, mode

    def before_train(self, runner: Runner) -> None:
        """Replace the optimizer wrapper's backward and step."""
        if self.mode == 'off':
            return
        wrapper, model = runner.optim_wrapper, unwrapped(runner)
        if isinstance(wrapper, OptimWrapperDict) or not isinstance(wrapper, OptimWrapper):
            raise ValueError(
                f'FiniteGuardHook guards one optimizer, got {type(wrapper).__name__}; set default_hooks.finite_guard.mode=off'
            )
        cuda = next(model.parameters()).is_cuda
        deferred = self.mode == 'deferred' or (self.mode == 'auto' and cuda)
        self.guard = GuardedStep(wrapper, model, deferred)
        self.steps: deque[Step] = deque(maxlen=wrapper._accumulative_counts + (self.interval if deferred else 0))
        self.due = False
        self.statistics = list(norm_statistics(model).values())
        self.good = [buffer.clone() for buffer in self.statistics]

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Give the guard the current iteration."""
        if self.guard is not None:
            self.guard.iteration = runner.iter

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        """Record the step, and check when it is due."""
        if self.guard is None:
            return
        losses = {name: value.detach() for name, value in (outputs or {}).items() if isinstance(value, Tensor)}
        if self.guard.deferred and isinstance(data_batch, dict):  # many steps are kept, so without their images
            data_batch = {name: value for name, value in data_batch.items() if name != 'inputs'}
        self.steps.append(Step(runner.iter, runner.epoch, data_batch, losses))
        saves = (hook.interval for hook in runner.hooks if isinstance(hook, CheckpointHook) and not hook.by_epoch)
        if not self.guard.deferred or any(self.every_n_train_iters(runner, n) for n in (self.interval, *saves)):
            self.due = True
        if self.due:
            self._look(runner)

    def after_train_epoch(self, runner: Runner) -> None:
        """Check before a checkpoint of the epoch is written."""
        self._look(runner)

    def before_val(self, runner: Runner) -> None:
        """Check, if it is a validation during training."""
        self._look(runner)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Refuse to write weights that are not finite."""
        if self.guard is None:
            return
        model, done = unwrapped(runner), checkpoint['meta']['iter']
        for name in (*dict(model.named_parameters()), *norm_statistics(model)):
            if bad_rows(checkpoint['state_dict'].get(name)):
                raise NonFiniteError(
                    f'{name} is not finite after iteration {done}, so no checkpoint is written; {last_file(runner)}. {ADVICE}',
                    iteration=done,
                    losses=[],
                    module=name,
                    samples=[],
                )

    def after_train(self, runner: Runner) -> None:
        """Check a last time and restore the optimizer wrapper's methods."""
        self._look(runner)
        if self.guard is not None:
            self.guard.detach()
            self.guard = None

    def _look(self, runner: Runner) -> None:
        """Whether there was a fault; only in training and between two updates."""
        if self.guard is None:
            return
        if not self.guard.wrapper.should_update():
            self.due = True
            return
        self.due = False
        fault = self.guard.read()
        if fault is None:
            if self.good:
                torch._foreach_copy_(self.good, self.statistics)
            return
        if self.good:
            torch._foreach_copy_(self.statistics, self.good)
        skipped = runner.message_hub.get_info(SKIPPED, 0) + max(fault.dropped, 1)
        runner.message_hub.update_info(SKIPPED, skipped)
        error = fault_error(runner, fault, self.steps, stored=not self.guard.deferred)
        if skipped > self.skip:
            raise error
        runner.logger.warning(f'update left out ({skipped} of at most {self.skip}): {error}')
