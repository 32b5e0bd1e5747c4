"""Teachers in rows, student methods in columns: a study of several students at a glance."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.page import Block
from icckd_mm.lab.stats.paired import Interval
from icckd_mm.lab.study.cells import CellResults, against, label, last_accuracy, reference_of
from icckd_mm.lab.study.tables import REFERENCES, bounds

OF_THE_STUDENT = ('student', 'pair', 'network')
Column = tuple[str, str]
ITSELF: Column = ('', '')


def grids(plan: Plan, cells: Sequence[CellResults]) -> list[Block]:
    """Accuracy, and differences to each reference teacher, of all teachers by all student methods.

    Args:
        plan (Plan): The plan.
        cells (Sequence[CellResults]): All cells.

    Returns:
        list[Block]: None where there is a single student method, whose tables say as much.
    """
    students = student_columns(cells)
    if len(students) < 2:
        return []
    alone = [cell for cell in cells if cell.stage == 'student' and not cell.teacher]
    said = [f'{label(cell, plan.default)}: {_said(cell.interval(last_accuracy), ".2f")}.' for cell in alone]
    text = ' '.join(['Top-1 of the last epoch (%), mean over seeds [95 % interval].', *said])
    blocks = [Block('Accuracy by teacher and student', text, _grid(plan, cells, students, _accuracy))]
    for teacher, name in REFERENCES.items():

        def difference(cell: CellResults, teacher: str = teacher) -> str:
            reference = reference_of(cell, cells, teacher)
            comparison = reference and against(cell, reference)
            return _said(comparison.difference, '+.2f') if comparison else '–'

        others = [cell for cell in cells if cell.teacher not in ('', teacher)]
        if any(cell.teacher == teacher for cell in cells) and others:
            text = (
                f'Points of accuracy over {name} and over its student of the same method, paired by seed: mean '
                '[95 % interval]. The tables below have the tests.'
            )
            blocks.append(Block(f'Difference to {name}', text, _grid(plan, others, students, difference)))
    return blocks


def student_columns(cells: Sequence[CellResults]) -> dict[Column, str]:
    """What students there are, with a name for each: its method, and its pair where there are several."""
    found = dict.fromkeys(_column(cell) for cell in cells if cell.stage == 'student' and cell.teacher)
    several = len({pair for _, pair in found}) > 1
    return {column: ' '.join(column) if several else column[0] for column in found}


def teacher_rows(cells: Sequence[CellResults]) -> list[dict[Column, CellResults]]:
    """Cells with one teacher, by method and pair of the student; ``ITSELF`` is the teacher.

    Args:
        cells (Sequence[CellResults]): Of both stages.

    Returns:
        list[dict[Column, CellResults]]: In the order of the cells.
    """
    rows: dict[str, dict[Column, CellResults]] = {}
    for cell in sorted((cell for cell in cells if cell.teacher), key=lambda cell: cell.stage, reverse=True):
        own = {key: value for key, value in cell.factors.items() if key not in OF_THE_STUDENT}
        # a teacher knows its network and a student the pair, which begins with it
        own['network'] = cell.factors.get('network') or cell.factors['pair'].split('_')[0]
        rows.setdefault(json.dumps(own, sort_keys=True), {})[_column(cell)] = cell
    return list(rows.values())


def teacher_label(row: dict[Column, CellResults], plan: Plan) -> str:
    """The teacher of a row in a few words."""
    cell = next(iter(row.values()))
    own = {key: value for key, value in cell.factors.items() if key not in OF_THE_STUDENT}
    return label(replace(cell, factors=own), plan.default)


def _grid(
    plan: Plan, cells: Sequence[CellResults], students: dict[Column, str], said: Callable[[CellResults], str]
) -> tuple[tuple[str, ...], ...]:
    rows = [
        (teacher_label(row, plan), *(said(row[column]) if column in row else '–' for column in (ITSELF, *students)))
        for row in teacher_rows(cells)
    ]
    return (('teacher', 'itself', *students.values()), *rows)


def _accuracy(cell: CellResults) -> str:
    return _said(cell.interval(last_accuracy), '.2f')


def _said(interval: Interval, form: str) -> str:
    return f'{interval.mean:{form}}' if interval.count == 1 else f'{interval.mean:{form}} [{bounds(interval, form)}]'


def _column(cell: CellResults) -> Column:
    return cell.factors.get('student', ''), cell.factors.get('pair', '')
