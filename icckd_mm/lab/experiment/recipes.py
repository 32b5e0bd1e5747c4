"""From a cell of a plan to the configs of this repository: what a user would run by hand."""

from __future__ import annotations

from icckd_mm.lab.experiment.data import configs_of, with_data
from icckd_mm.lab.experiment.plan import Cell, Plan
from icckd_mm.lab.experiment.recipe import Recipe
from icckd_mm.lab.experiment.student_recipe import alone_recipe, student_recipe
from icckd_mm.lab.experiment.teacher_recipe import teacher_recipe

COUNTS = ('images', 'epochs', 'stop_epoch', 'finetune_epochs')


def recipes(plan: Plan, cell: Cell) -> list[Recipe]:
    """The runs of a cell: its teacher and its student.

    Args:
        plan (Plan): The plan.
        cell (Cell): One of ``plan.cells()``.

    Returns:
        list[Recipe]: Those that come first need none of the later ones.

    Raises:
        ValueError: If there is no config for the cell, or its values contradict one another.
    """
    for name in COUNTS:
        if cell[name] is not None and not (isinstance(cell[name], int) and cell[name] >= 1):
            raise ValueError(f'{name} must be an integer of at least 1, got {cell[name]!r}')
    return [with_data(plan, cell, recipe) for recipe in _chain(plan, {**cell, 'data': configs_of(plan, cell['data'])})]


def _chain(plan: Plan, cell: Cell) -> list[Recipe]:
    """The recipes with the data of the configs."""
    if cell['student'] == 'alone':
        return [alone_recipe(plan, cell)]
    teacher = teacher_recipe(plan, cell, cell['teacher'])
    chain = [teacher] if teacher.parent is None else [teacher.parent, teacher]
    return chain if cell['student'] == 'none' else [*chain, student_recipe(plan, cell, teacher)]
