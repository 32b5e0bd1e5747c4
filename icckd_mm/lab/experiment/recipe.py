"""A run of a plan without its seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from icckd_mm.lab.experiment.plan import Cell


@dataclass(frozen=True)
class Recipe:
    """A run without its seed.

    Attributes:
        stage: ``'teacher'`` or ``'student'``.
        method: Name of the teacher's or student's method.
        factors: The factors it depends on, and their values.
        config: Path of its config.
        options: ``--cfg-options`` for it, without the checkpoint it starts from.
        parent: The run whose last checkpoint it needs.
        parent_key: Key of the path of that checkpoint.
    """

    stage: str
    method: str
    factors: dict[str, Any]
    config: str
    options: dict[str, Any] = field(default_factory=dict)
    parent: Recipe | None = None
    parent_key: str = ''


@cache
def read_config_once(path: str) -> Any:
    """A cached config; must not be changed."""
    from mmengine.config import Config

    return Config.fromfile(path)


def common_options(cell: Cell, config: str) -> dict[str, Any]:
    """The options of all runs of a cell: their length."""
    return {} if cell['epochs'] is None else epochs_options(config, cell['epochs'])


def epochs_options(config: str, epochs: int) -> dict[str, Any]:
    """The options that set the epochs of a run and scale its schedule in proportion."""
    from icckd_mm.config.fast import shrunk_schedule  # heavy

    cfg = read_config_once(config)
    scheduler = cfg.get('param_scheduler')
    options: dict[str, Any] = {'train_cfg.max_epochs': epochs}
    if isinstance(scheduler, dict) and set(scheduler) & {'T_max', 'milestones'}:
        scaled = shrunk_schedule(scheduler, epochs / cfg.train_cfg.max_epochs)
        options.update({f'param_scheduler.{key}': scaled[key] for key in ('T_max', 'milestones') if key in scaled})
    elif scheduler is not None:
        options['param_scheduler'] = shrunk_schedule(scheduler, epochs / cfg.train_cfg.max_epochs)
    return options
