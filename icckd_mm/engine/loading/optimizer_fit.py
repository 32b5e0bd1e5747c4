"""Checks that optimizers and schedules in a file are those of a run; torch and mmengine load most others silently."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from typing import Any

import torch

from icckd_mm.engine.exact.serialisation import without_functions
from icckd_mm.engine.loading.weights_fit import as_name

# states of torch's optimizers that have the shape of their weight
SHAPED = {'momentum_buffer', 'exp_avg', 'exp_avg_sq', 'max_exp_avg_sq', 'square_avg', 'acc_delta', 'grad_avg', 'exp_inf', 'ax'}


def optimizer_fault(wrapper: Any, state: Any) -> str:
    """Why a state of ``OptimWrapper.state_dict`` does not belong to this wrapper; empty if it does.

    Args:
        wrapper: An ``OptimWrapper``, or an ``OptimWrapperDict`` of several.
        state: What a checkpoint holds under ``optimizer``.

    Returns:
        The first fault, in one line.
    """
    if not isinstance(state, dict):
        return f'optimizer is a {type(state).__name__}, not a dict'
    if hasattr(wrapper, 'optim_wrappers'):
        if state.keys() != wrapper.optim_wrappers.keys():
            return f'it has the optimizers {", ".join(map(as_name, state))[:200]}, this run {", ".join(wrapper.optim_wrappers)}'
        faults = (optimizer_fault(one, state[name]) for name, one in wrapper.optim_wrappers.items())
        return next(filter(None, faults), '')
    return next(_faults(wrapper, state), '')


def _faults(wrapper: Any, state: dict) -> Iterator[str]:
    groups, memory = state.get('param_groups'), state.get('state')
    if not isinstance(groups, list) or not isinstance(memory, dict) or not all(isinstance(group, dict) for group in groups):
        yield 'optimizer has no param_groups and state'
        return
    own = wrapper.optimizer.param_groups
    if len(groups) != len(own):
        yield f'its optimizer has {len(groups)} groups of weights, that of this run {len(own)}'
        return
    shapes: dict[int, Any] = {}
    for group, mine in zip(groups, own):
        ids = group.get('params')
        if not isinstance(ids, list) or len(ids) != len(mine['params']) or not all(type(one) is int for one in ids):
            found = len(ids) if isinstance(ids, list) else 'no'
            yield f'its optimizer has {found} weights in a group, that of this run {len(mine["params"])}'
            return
        shapes.update(zip(ids, mine['params']))
        yield from _group_faults(group, mine, type(wrapper.optimizer).__name__)
    for index, entry in memory.items():
        yield from _memory_faults(index, entry, shapes)
    scaler = getattr(wrapper, 'loss_scaler', None)
    if scaler is not None and 'loss_scaler' in state:
        fault = _difference(scaler.state_dict(), state['loss_scaler'])
        if fault:
            yield f'its loss scaler: {fault}'


def _group_faults(group: dict, own: dict, name: str) -> Iterator[str]:
    """Compare numbers only: a flag may be missing in a file of another version of torch, which has a default for it."""
    mine, other = _numbers(own), _numbers(group)
    if mine.keys() != other.keys():
        given, wanted = (', '.join(sorted(map(as_name, one))[:9]) or 'none' for one in (other, mine))
        yield f'it is of another optimizer: its settings are {given}, those of {name} {wanted}'
    for key, value in other.items():
        if not _finite(value):
            yield f'optimizer setting {as_name(key)} is {value!r:.80}'


def _numbers(group: dict) -> dict[str, Any]:
    numbers = {key: value for key, value in group.items() if isinstance(value, (int, float, tuple, list, torch.Tensor))}
    plain = {key: value for key, value in numbers.items() if not isinstance(value, bool) and key != 'params'}
    return {key: value for key, value in plain.items() if isinstance(key, str) and not key.startswith('initial_')}


def _memory_faults(index: Any, entry: Any, weights: dict[int, Any]) -> Iterator[str]:
    if index not in weights or not isinstance(entry, dict):
        yield f'optimizer.state[{index!r:.40}] belongs to none of its weights'
        return
    for key, value in entry.items():
        if not (value is None or isinstance(value, (int, float, torch.Tensor))):
            continue  # lists, as of LBFGS
        shape = tuple(value.shape) if isinstance(value, torch.Tensor) else ()
        if key in SHAPED and value is not None and shape != tuple(weights[index].shape):
            yield f'optimizer.state[{index}].{key} has shape {shape}, its weight {tuple(weights[index].shape)}'
        if key == 'step' and (value is None or math.prod(shape) != 1 or not _finite(value)):
            yield f'optimizer.state[{index}].step is {value!r:.80}'


def schedule_fault(schedules: Any, states: Any) -> str:
    """Why states of schedulers do not belong to these schedulers; empty if they do.

    Args:
        schedules: The schedulers of a runner: a list, a dict of lists, or None.
        states: What a checkpoint holds under ``param_schedulers``; None if nothing.

    Returns:
        The first fault, in one line.
    """
    if isinstance(schedules, dict):
        if not isinstance(states, dict) or states.keys() != schedules.keys():
            return 'its schedules are not those of the optimizers of this run'
        return next(filter(None, (schedule_fault(one, states[name]) for name, one in schedules.items())), '')
    own, given = schedules or [], [] if states is None else states
    if not isinstance(given, (list, tuple)) or len(given) != len(own):
        number = len(given) if isinstance(given, (list, tuple)) else 'broken'
        return f'it has {number} schedules (param_scheduler), this run has {len(own)}'
    for index, (schedule, state) in enumerate(zip(own, given)):
        fault = _difference(without_functions(schedule.state_dict()), state)
        if not fault:
            fault = _unusable(schedule, state)
        if fault:
            return f'schedule {index} of this run is a {type(schedule).__name__}, and that of the file is not: {fault}'
    return ''


def _unusable(schedule: Any, state: dict) -> str:
    """The error of a copy that loads the state and computes its value; empty if there is none."""
    probe = copy.copy(schedule)
    probe.load_state_dict(state)
    try:
        values = probe._get_value()
    except NotImplementedError:
        return ''
    except Exception as error:  # any class may compute anything
        return f'its value fails with {type(error).__name__}'
    return '' if all(map(_finite, values)) else f'its value is {values!r:.80}'


def _difference(own: dict, given: Any) -> str:
    """How keys or types of ``given`` differ from those of ``own``; empty if they do not."""
    if not isinstance(given, dict):
        return f'it is a {type(given).__name__}'
    keys = set(own) ^ set(given)
    if keys:
        return f'only one of them has {", ".join(sorted(map(as_name, keys))[:9])}'
    for key, value in own.items():
        if not _same_kind(value, given[key]):
            return f'{key} is {given[key]!r:.80}'
    return ''


def _same_kind(own: Any, given: Any) -> bool:
    if isinstance(own, bool) or own is None or isinstance(own, str):
        return given is None or isinstance(given, (bool, int, float, str))
    if isinstance(own, (int, float)):
        return isinstance(given, (int, float)) and not isinstance(given, bool) and given == given
    if isinstance(own, dict):
        return isinstance(given, dict) and all(isinstance(key, (int, float)) for key in given)  # milestones
    if isinstance(own, (list, tuple)):
        same_length = isinstance(given, (list, tuple)) and len(own) == len(given)
        return same_length and all(map(_same_kind, own, given))
    return type(own) is type(given)


def _finite(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_finite, value))
    if isinstance(value, torch.Tensor):
        return value.numel() == 1 and bool(value.isfinite())
    return isinstance(value, (int, float)) and math.isfinite(value)
