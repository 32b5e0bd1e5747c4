"""Overview tables of a study of several students: teachers in rows, student methods in columns."""

from __future__ import annotations

from collections.abc import Callable

from icckd_mm.lab.page import Block
from icckd_mm.lab.study.cells import CellResults
from icckd_mm.lab.study.comparison import ALONE, REFERENCES, Comparison
from icckd_mm.lab.study.numbers import with_bounds


def grids(comparison: Comparison) -> list[Block]:
    """Accuracy, and differences to each reference teacher, of all teachers by all student methods.

    Returns:
        The tables; none for a single student method, whose own tables show the same.
    """
    if len(comparison.columns) < 2:
        return []
    alone = [cell for cell in comparison.students if not cell.teacher]
    said = [f'{cell.label}: {with_bounds(cell.accuracy, ".2f")}.' for cell in alone]
    text = ' '.join(['Top-1 of the last epoch (%), mean over seeds [95 % interval].', *said])
    grid = _grid(comparison, lambda cell: with_bounds(cell.accuracy, '.2f'))
    blocks = [Block('Accuracy by teacher and student', text, grid)]
    for teacher, name in REFERENCES.items():

        def difference(cell: CellResults, teacher: str = teacher) -> str:
            return with_bounds(cell.gains[teacher].difference, '+.2f') if teacher in cell.gains else '–'

        grid = _grid(comparison, difference, without=teacher)
        if any(teacher in cell.gains for cell in comparison.students) and len(grid) > 1:
            of_students = '' if teacher == ALONE else ' and over its student of the same method'
            text = (
                f'Points of accuracy over {name}{of_students}, paired by seed: mean '
                '[95 % interval]. The tables below have the tests.'
            )
            blocks.append(Block(f'Difference to {name}', text, grid))
    return blocks


def _grid(comparison: Comparison, said: Callable[[CellResults], str], without: str = '') -> tuple[tuple[str, ...], ...]:
    """One row for each teacher except ``without``."""
    columns = [('', ''), *comparison.columns]
    rows = []
    for row in comparison.rows:
        first = next(iter(row.values()))
        if first.teacher != without:
            rows.append((first.teacher_label, *(said(row[column]) if column in row else '–' for column in columns)))
    return (('teacher', 'itself', *comparison.columns.values()), *rows)
