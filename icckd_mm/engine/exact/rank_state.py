"""State of each process of a run that no state_dict holds: random generators and accumulated gradients."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.dist import all_gather_object
from mmengine.runner import Runner

from icckd_mm.engine.runner_utils import unwrapped
from icckd_mm.randomness import random_state, random_state_fault, set_random_state


def rank_states(runner: Runner) -> list[dict[str, Any]]:
    """Random generators and accumulated gradients of every process; all processes must call this.

    Args:
        runner: The runner.

    Returns:
        In rank order, on the CPU.
    """
    wrapper = runner.optim_wrapper  # a wrapper of several optimizers has no such counter
    accumulating = getattr(wrapper, '_inner_count', 0) % getattr(wrapper, '_accumulative_counts', 1) != 0
    return all_gather_object({'random': random_state(), 'gradients': _gradients(runner) if accumulating else {}})


def restore_rank_state(runner: Runner, state: dict[str, Any]) -> None:
    """Restore a state of :func:`rank_states` in this process.

    Args:
        runner: The runner.
        state: The entry of this process.
    """
    set_random_state(state['random'])
    for name, parameter in unwrapped(runner).named_parameters():
        if name in state['gradients']:
            parameter.grad = state['gradients'][name].to(parameter.device, copy=True)


def rank_state_fault(ranks: Any, parameters: dict[str, Any]) -> str:
    """Why states of :func:`rank_states` from a file cannot be restored; empty if they can.

    Args:
        ranks: What a checkpoint holds under ``ranks``; empty in files that are not resumed from.
        parameters: Parameters of the model by name.

    Returns:
        The first fault, in one line.
    """
    if not isinstance(ranks, list):
        return f'ranks is a {type(ranks).__name__}, not a list'
    for rank, state in enumerate(ranks):
        if not isinstance(state, dict) or not isinstance(state.get('gradients'), dict):
            return f'ranks[{rank}] does not hold generators and gradients'
        fault = random_state_fault(state.get('random'))
        if fault:
            return f'ranks[{rank}].random: {fault}'
        for name, gradient in state['gradients'].items():
            if not isinstance(gradient, torch.Tensor) or gradient.shape != getattr(parameters.get(name), 'shape', None):
                return f'ranks[{rank}].gradients has {name!s:.80}, which is not a gradient of this model'
    return ''


def _gradients(runner: Runner) -> dict[str, Any]:
    parameters = unwrapped(runner).named_parameters()
    return {name: value.grad.detach().cpu() for name, value in parameters if value.grad is not None}
