"""Lets optimizer settings and schedules of this run replace those of the checkpoint that it resumes from."""

from __future__ import annotations

from typing import Any

from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, Runner

from icckd_mm.engine.exact.serialisation import without_functions


def follow_config(runner: Runner, checkpoint: dict) -> None:
    """Put this run's settings into a checkpoint, at the position of the checkpoint; momentum and the like stay.

    Args:
        runner: A runner about to resume; its schedulers are advanced to the position.
        checkpoint: What was read from the file; changed in place.

    Raises:
        ValueError: If there are several optimizers, a schedule that follows metrics, or no such position in this run.
    """
    wrapper, schedulers = runner.optim_wrapper, runner.param_schedulers or []
    if not isinstance(wrapper, OptimWrapper) or not isinstance(schedulers, list):
        raise ValueError('--new-schedule works with one optimizer, this run has several; resume without it')
    for scheduler in schedulers:
        if getattr(scheduler, 'need_val_args', False):
            raise ValueError(
                f'--new-schedule cannot repeat the metrics that {type(scheduler).__name__} follows; resume without it'
            )
    _advance(runner, schedulers, *_position(runner, checkpoint))
    groups = (checkpoint.get('optimizer') or {}).get('param_groups') or []
    for group, own in zip(groups, wrapper.optimizer.param_groups):
        group.update({key: value for key, value in own.items() if key != 'params'})
    checkpoint['param_schedulers'] = [without_functions(scheduler.state_dict()) for scheduler in schedulers]


def _position(runner: Runner, checkpoint: dict) -> tuple[int, int]:
    """Epochs and iterations that the checkpoint has behind it."""
    meta = checkpoint.get('meta')
    epoch, iteration = (meta.get(name) if isinstance(meta, dict) else None for name in ('epoch', 'iter'))
    if type(epoch) is not int or type(iteration) is not int or not (0 <= epoch <= iteration <= runner.max_iters):
        raise ValueError(f'the checkpoint is at iteration {iteration!r:.40} of {runner.max_iters}: nothing is left to train')
    return epoch, iteration


def _advance(runner: Runner, schedulers: list[Any], epoch: int, iteration: int) -> None:
    """Step the schedulers as the run would have done until there; some compute their value from the last one."""
    length = len(runner.train_dataloader) if isinstance(runner.train_loop, EpochBasedTrainLoop) else 0
    for step in range(1, iteration + 1):
        ended = bool(length) and step % length == 0 and step // length <= epoch
        for scheduler in schedulers:
            if not scheduler.by_epoch:
                scheduler.step()
        for scheduler in schedulers:
            if scheduler.by_epoch and ended:
                scheduler.step()
