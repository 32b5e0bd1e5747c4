"""Finds settings of a resumed run that have no effect because the checkpoint's values are used."""

from __future__ import annotations

from typing import Any

from icckd_mm.compat.checkpoints.config_text import parse_config_text
from icckd_mm.engine.loading.config_differences import differences

NOTED = 6  # settings in a line


def overruled_options(stored: Any, cfg: Any, states: Any = None, schedules: Any = None) -> list[str]:
    """A line for the log where optimizer or schedules of this run are not those of the checkpoint.

    torch and mmengine take learning rates, weight decay and the state of schedules from the file.

    Args:
        stored: ``meta.cfg`` of the checkpoint.
        cfg: Config of this run.
        states: ``param_schedulers`` of the checkpoint, if any.
        schedules: The schedulers of this run, if any.

    Returns:
        The line; empty if nothing differs or one of the configs is unknown.
    """
    try:
        before, now = parse_config_text(stored), parse_config_text(cfg.pretty_text)
    except ValueError:
        return []
    found = [
        f'{path}={ours!r:.60} (checkpoint: {theirs!r:.60})'
        for path, theirs, ours in differences(_decided(before), _decided(now))
    ]
    found += _earlier_ends(states, schedules)
    if not found:
        return []
    named = ', '.join(found[:NOTED]) + (f' and {len(found) - NOTED} more' if len(found) > NOTED else '')
    return [
        f'--resume uses the optimizer and schedules of the checkpoint; these settings of this run have no effect: '
        f'{named}. To train with them, add --new-schedule'
    ]


def _earlier_ends(states: Any, schedules: Any) -> list[str]:
    """Schedules that end where the run of the checkpoint did, which had fewer epochs: the rate stays at its last value."""
    if not isinstance(states, (list, tuple)) or not isinstance(schedules, list):
        return []
    lines = []
    for number, (own, state) in enumerate(zip(schedules, states)):
        end = state.get('end') if isinstance(state, dict) else None
        if end is None or end == getattr(own, 'end', end):
            continue
        milestones = getattr(own, 'milestones', None)
        if milestones is None or max(milestones, default=0) >= end:  # else all its changes are before the end
            lines.append(f'param_scheduler.{number}.end={own.end!r} (checkpoint: {end!r:.60})')
    return lines


def _decided(cfg: Any) -> dict:
    """The settings that a checkpoint overrides."""
    wrapper = cfg.get('optim_wrapper')
    wrapper = wrapper.to_dict() if hasattr(wrapper, 'to_dict') else {}
    options = {key: wrapper[key] for key in ('optimizer', 'paramwise_cfg') if key in wrapper}
    schedules = cfg.get('param_scheduler') or []
    schedules = schedules if isinstance(schedules, (list, tuple)) else [schedules]
    return {'optim_wrapper': options, 'param_scheduler': {str(index): one for index, one in enumerate(schedules)}}
