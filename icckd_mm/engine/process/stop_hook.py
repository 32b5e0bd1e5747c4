"""Stops a training on request, with a checkpoint of the current iteration."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import barrier, get_comm_device, get_world_size
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner

from icckd_mm.engine.exact.checkpoint_hook import ExactCheckpointHook
from icckd_mm.engine.finite.guard_hook import FiniteGuardHook
from icckd_mm.engine.process import interruption

INTERVAL = 5  # iterations between two exchanges with the other processes


class StopHook(Hook):
    """Checks after each iteration for a request to stop, saves, and raises :class:`~.interruption.Stopped`.

    ``build_runner`` of the commands registers it. Several processes agree first: every 5 iterations they add up who was asked,
    without waiting for the sum, and read it 5 iterations later; at the end of an epoch or a validation they wait. So all stop
    at the same iteration, and the device never waits for the host.
    """

    priority = 'LOWEST'  # after the checkpoint hook

    def __init__(self) -> None:
        self.sent: tuple[Any, torch.Tensor] | None = None
        self.side: Any = None  # stream on which the sum is read, so that the host does not wait for the step

    def before_train(self, runner: Runner) -> None:
        """Until the end of the first iteration there is nothing to save."""
        interruption.defer(False)
        self.sent = None
        self.side = torch.cuda.Stream() if get_comm_device().type == 'cuda' else None

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """From the first iteration on, signals are deferred to the end of an iteration."""
        interruption.defer(True)

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: dict | None = None) -> None:
        """Save and stop if all processes agree."""
        wait = self.end_of_epoch(runner.train_dataloader, batch_idx)
        if wait and not _resumes_within_an_epoch(runner):
            return  # see after_train_epoch
        if wait or (runner.iter + 1) % INTERVAL == 0 or get_world_size() == 1:
            self._stop_if(runner, self._agreed(wait), runner.epoch, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Stop after the checkpoint hook has saved, where the loop cannot resume within an epoch."""
        hook = _checkpoint_hook(runner)
        if not _resumes_within_an_epoch(runner) and hook is not None and hook.saved == runner.iter:
            self._stop_if(runner, self._agreed(True), runner.epoch + 1, runner.iter)

    def after_val_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        """Leave a validation if the training before it is saved: the resumed run repeats it."""
        hook = _checkpoint_hook(runner)
        if get_world_size() == 1 and hook is not None and hook.saved == runner.iter:
            self._stop_if(runner, interruption.asked(), runner.epoch, runner.iter)

    def after_val(self, runner: Runner) -> None:
        """Save and stop after a complete validation."""
        if interruption.is_deferred():  # not in a validation alone, nor in one before the first iteration
            self._stop_if(runner, self._agreed(True), runner.epoch, runner.iter)

    def after_train(self, runner: Runner) -> None:
        """All is saved: a signal may end the process at once."""
        interruption.defer(False)

    def _agreed(self, wait: bool) -> int | None:
        """The signal that any process received, known to all processes at the same iteration."""
        own = interruption.asked() or 0
        if get_world_size() == 1:
            return own
        agreed = self._read()
        if not agreed:
            self._send(own)
        return agreed or (self._read() if wait else 0)

    def _send(self, signum: int) -> None:
        flag = torch.tensor([signum], dtype=torch.int32, device=get_comm_device())
        work = torch.distributed.all_reduce(flag, torch.distributed.ReduceOp.MAX, async_op=True)
        self.sent = work, flag

    def _read(self) -> int:
        if self.sent is None:
            return 0
        (work, flag), self.sent = self.sent, None
        with torch.cuda.stream(self.side):
            work.wait()
            return int(flag)

    def _stop_if(self, runner: Runner, signum: int | None, epoch: int, iteration: int) -> None:
        if not signum:
            return
        for hook in runner.hooks:
            if isinstance(hook, FiniteGuardHook):
                hook.after_train_epoch(runner)  # check the steps not checked yet
        said = self._save(runner, epoch, iteration)
        barrier()  # all wait for the file: launchers kill the other processes when one ends
        interruption.ignore_further()
        raise interruption.Stopped(signum, said)

    def _save(self, runner: Runner, epoch: int, iteration: int) -> str:
        hook, loop = _checkpoint_hook(runner), runner.train_loop
        if hook is None:
            reason = 'default_hooks.checkpoint is not an ExactCheckpointHook'
        elif _resumes_within_an_epoch(runner) or iteration == epoch * len(loop.dataloader):
            return f'after iteration {iteration}, saved as {hook.save_to_stop(runner, epoch, iteration)}'
        else:
            reason = 'only ExactTrainLoop resumes within an epoch'
        last = runner.message_hub.get_info('last_ckpt', None)
        return f'after iteration {iteration}; training{f" after {last}" if last else ""} is lost, since {reason}'


def _resumes_within_an_epoch(runner: Runner) -> bool:
    return hasattr(runner.train_loop, 'load_state_dict') or not isinstance(runner.train_loop, EpochBasedTrainLoop)


def _checkpoint_hook(runner: Runner) -> ExactCheckpointHook | None:
    return next((hook for hook in runner.hooks if isinstance(hook, ExactCheckpointHook)), None)
