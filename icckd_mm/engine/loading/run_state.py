"""Checks that a run can resume from a checkpoint: compares each part with the run before any is used."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.hooks import EMAHook
from mmengine.runner import IterBasedTrainLoop, Runner

from icckd_mm.engine.exact.rank_state import rank_state_fault
from icckd_mm.engine.loading.optimizer_fit import optimizer_fault, schedule_fault
from icckd_mm.engine.loading.weights_fit import AIDS, as_name
from icckd_mm.engine.runner_utils import unwrapped

COUNTERS, HUB = {'epoch', 'iter'}, {'log_scalars', 'runtime_info', 'resumed_keys'}
ADVICE = 'resume with the config that it was trained with, or start from its weights with load_from=FILE, without --resume'


def check_run_state(runner: Runner, checkpoint: dict, name: str) -> None:
    """Raise unless counters, optimizers, schedules, averages, generators and loop of a checkpoint belong to this run.

    Args:
        runner: A runner about to resume; parts that it has not built yet are not compared.
        checkpoint: What was read from the file.
        name: Of the file, for the message.

    Raises:
        ValueError: If a part does not; names the first one.
    """
    fault = _counter_fault(runner, checkpoint) or _loop_fault(checkpoint) or _hub_fault(checkpoint['message_hub'])
    if not fault and 'ema_state_dict' in checkpoint and any(isinstance(hook, EMAHook) for hook in runner.hooks):
        fault = _average_fault(checkpoint)
    if not fault and 'optimizer' in checkpoint and not isinstance(runner.optim_wrapper, dict):
        fault = optimizer_fault(runner.optim_wrapper, checkpoint['optimizer'])
    if not fault and not _is_config(runner.param_schedulers):
        fault = schedule_fault(runner.param_schedulers, checkpoint.get('param_schedulers'))
    if not fault and 'ranks' in checkpoint:
        fault = rank_state_fault(checkpoint['ranks'], dict(unwrapped(runner).named_parameters()))
    if fault:
        raise ValueError(f'{name} cannot be resumed from: {fault}; {ADVICE}')


def _counter_fault(runner: Runner, checkpoint: dict) -> str:
    meta, hub = checkpoint.get('meta'), checkpoint.get('message_hub')
    if not isinstance(meta, dict) or not isinstance(hub, dict) or not (meta.keys() >= COUNTERS and hub.keys() >= HUB):
        return 'it holds weights, but not the state of a run'
    epoch, iteration = meta['epoch'], meta['iter']
    if epoch is None or iteration is None:
        return 'it has no epoch and iteration'
    if isinstance(runner.train_loop, IterBasedTrainLoop):
        if iteration > runner.max_iters:
            return f'it is of iteration {iteration}, and this run ends at {runner.max_iters} (train_cfg.max_iters)'
    elif epoch > runner.max_epochs:
        return f'it is of epoch {epoch}, and this run ends at {runner.max_epochs} (train_cfg.max_epochs)'
    return ''


def _loop_fault(checkpoint: dict) -> str:
    """A fault in the state of :class:`icckd_mm.ExactTrainLoop`."""
    if 'train_loop' not in checkpoint:
        return ''
    state, meta = checkpoint['train_loop'], checkpoint['meta']
    if not isinstance(state, dict) or not all(type(state.get(key)) is int for key in ('validated', 'epoch_length')):
        return 'train_loop does not hold the numbers validated and epoch_length'
    length, past = state['epoch_length'], meta['iter'] - meta['epoch'] * state['epoch_length']
    if length < 1 or not 0 <= past <= length:
        return f'iteration {meta["iter"]} is not in epoch {meta["epoch"] + 1} of {length} iterations each'
    if not 0 <= state['validated'] <= meta['epoch'] + 1:
        return f'train_loop.validated is {state["validated"]} in epoch {meta["epoch"]}'
    return ''


def _average_fault(checkpoint: dict) -> str:
    """``EMAHook`` swaps average and weights by their names."""
    average, weights = checkpoint['ema_state_dict'], checkpoint.get('state_dict', {})
    copies = {key[len('module.') :]: value for key, value in average.items() if key.startswith('module.')}
    odd = [key for key, value in copies.items() if key not in weights or not _alike(value, weights[key])]
    odd += [key for key in weights if key not in copies and not AIDS.fullmatch(key)]
    if odd or not isinstance(average.get('steps'), torch.Tensor):
        return (
            f'its averaged weights (ema_state_dict) do not belong to its weights: {", ".join(map(as_name, odd[:3])) or "steps"}'
        )
    return ''


def _alike(one: Any, other: Any) -> bool:
    return isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) and one.shape == other.shape


def _hub_fault(hub: dict) -> str:
    """A name both held and marked as not resumed; mmengine would fail on it at the next log."""
    held = {*hub['log_scalars'], *hub['runtime_info']}
    dropped = [key for key, kept in hub['resumed_keys'].items() if key in held and not kept]
    return f'message_hub holds {as_name(dropped[0])} and says that it does not' if dropped else ''


def _is_config(schedules: Any) -> bool:
    """Whether a runner has not built its schedulers yet."""
    flat = schedules.values() if isinstance(schedules, dict) else [schedules]
    if isinstance(schedules, dict) and 'type' in schedules:
        return True
    return any(isinstance(one, dict) for group in flat for one in (group if isinstance(group, list) else [group]))
