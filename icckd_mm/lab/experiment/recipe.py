"""One run of a cell but for its seed, and the configs that it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from icckd_mm.lab.experiment.plan import Cell, Plan

CONFIGS = Path('configs/icckd')


@dataclass(frozen=True)
class Recipe:
    """One run but for its seed.

    Attributes:
        stage (str): ``'teacher'`` or ``'student'``.
        method (str): Name of the teacher's or student's method.
        factors (dict): The factors it depends on, and their values.
        config (str): Path of its config.
        options (dict): ``--cfg-options`` over it, without the checkpoint it starts from.
        parent (Recipe, optional): The run whose last checkpoint it needs.
        parent_key (str): Where the path of that checkpoint goes.
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
    """A config that nobody may change."""
    from mmengine.config import Config

    return Config.fromfile(path)


def find_config(folder: str, pattern: str) -> str | None:
    """The config of a folder whose name fits a pattern; None if there is none."""
    found = sorted((CONFIGS / folder).glob(pattern))
    if len(found) > 1:
        raise ValueError(f'{CONFIGS / folder / pattern} fits {len(found)} configs: {", ".join(map(str, found))}')
    return str(found[0]) if found else None


def networks(cell: Cell) -> list[str]:
    """Names of the teacher's and the student's network."""
    names = str(cell['pair']).split('_')
    if len(names) != 2:
        raise ValueError(f"pair must be 'TEACHER_STUDENT', such as 'resnet20_resnet8', got {cell['pair']!r}")
    return names


def shared_factors(cell: Cell, network: str) -> dict[str, Any]:
    """The factors that every run depends on, with its network."""
    return {**{name: cell[name] for name in ('data', 'images', 'epochs')}, 'network': network}


def common_options(cell: Cell, config: str) -> dict[str, Any]:
    """The options that any run of a cell has: its length."""
    return {} if cell['epochs'] is None else epochs_options(config, cell['epochs'])


def epochs_options(config: str, epochs: int) -> dict[str, Any]:
    """The options that make a run that long, its schedule in proportion."""
    from icckd_mm.datasets.fast import shrunk_schedule  # heavy

    cfg = read_config_once(config)
    scheduler = cfg.get('param_scheduler')
    options: dict[str, Any] = {'train_cfg.max_epochs': epochs}
    if isinstance(scheduler, dict) and set(scheduler) & {'T_max', 'milestones'}:
        scaled = shrunk_schedule(scheduler, epochs / cfg.train_cfg.max_epochs)
        options.update({f'param_scheduler.{key}': scaled[key] for key in ('T_max', 'milestones') if key in scaled})
    elif scheduler is not None:
        options['param_scheduler'] = shrunk_schedule(scheduler, epochs / cfg.train_cfg.max_epochs)
    return options


def network_options(plan: Plan, **places: str) -> dict[str, Any]:
    """The options of the plan for the networks of teacher and student, at their places in the config."""
    return {f'{place}.{key}': value for role, place in places.items() for key, value in plan.networks.get(role, {}).items()}


def plan_options(plan: Plan, stage: str, method: str) -> dict[str, Any]:
    """The options of the plan that hold for a run."""
    places = dict.fromkeys(('all', stage, method))  # a later one wins
    return {key: value for place in places for key, value in plan.options.get(place, {}).items()}
