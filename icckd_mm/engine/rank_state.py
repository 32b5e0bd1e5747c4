"""What belongs to each process of a run, and is in no state_dict."""

from __future__ import annotations

from typing import Any

from mmengine.dist import all_gather_object
from mmengine.runner import Runner

from icckd_mm.engine.unwrap import unwrapped
from icckd_mm.randomness import random_state, set_random_state


def rank_states(runner: Runner) -> list[dict[str, Any]]:
    """The generators and the accumulating gradients of every process; all of them must call this.

    Args:
        runner (Runner): The runner.

    Returns:
        list[dict]: In rank order, on the CPU.
    """
    wrapper = runner.optim_wrapper  # one of several optimizers does not count
    accumulating = getattr(wrapper, '_inner_count', 0) % getattr(wrapper, '_accumulative_counts', 1) != 0
    return all_gather_object({'random': random_state(), 'gradients': _gradients(runner) if accumulating else {}})


def restore_rank_state(runner: Runner, state: dict[str, Any]) -> None:
    """Give this process a state of :func:`rank_states`.

    Args:
        runner (Runner): The runner.
        state (dict): The entry of this process.
    """
    set_random_state(state['random'])
    for name, parameter in unwrapped(runner).named_parameters():
        if name in state['gradients']:
            parameter.grad = state['gradients'][name].to(parameter.device, copy=True)


def _gradients(runner: Runner) -> dict[str, Any]:
    parameters = unwrapped(runner).named_parameters()
    return {name: value.grad.detach().cpu() for name, value in parameters if value.grad is not None}
