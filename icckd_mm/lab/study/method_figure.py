"""Gain of every teacher with every kind of student."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.study.cells import CellResults, against, reference_of
from icckd_mm.lab.study.figures import errors
from icckd_mm.lab.study.grid import student_columns, teacher_label, teacher_rows
from icckd_mm.lab.style import figure, line_style


def method_figure(plan: Plan, cells: Sequence[CellResults]) -> Figure | None:
    """Gain of students over those of the CE teacher: a line of marks a teacher, a mark a student method.

    Args:
        plan (Plan): The plan.
        cells (Sequence[CellResults]): All cells of the study.

    Returns:
        Figure, optional: None for a single student method, or without a CE teacher.
    """
    students = student_columns(cells)
    gains = {}
    for row in teacher_rows(cells):
        for column in students:
            reference = reference_of(row[column], cells, 'ce') if column in row else None
            comparison = reference and against(row[column], reference)
            if comparison:
                gains[teacher_label(row, plan), column] = comparison.difference
    if len(students) < 2 or not gains:
        return None
    teachers = list(dict.fromkeys(teacher for teacher, _ in gains))
    made, ((axis,),) = figure(1, 1, 7.2, 1.2 + 0.14 * len(teachers) * (len(students) + 1))
    for number, (column, name) in enumerate(students.items()):
        shift = 0.8 * ((number + 0.5) / len(students) - 0.5)  # side by side within the line of the teacher
        found = [(place + shift, gains[one, column]) for place, one in enumerate(teachers) if (one, column) in gains]
        style = {**line_style(number), 'linestyle': 'none', 'linewidth': 0.8, 'mfc': 'none', 'capsize': 2}
        intervals = [interval for _, interval in found]
        axis.errorbar([i.mean for i in intervals], [y for y, _ in found], xerr=errors(intervals), label=name, **style)
    for place in range(1, len(teachers)):
        axis.axhline(place - 0.5, color='#cccccc', linewidth=0.6)
    axis.axvline(0, color='black', linewidth=0.8)
    axis.set_yticks(range(len(teachers)), teachers)
    axis.set_ylim(len(teachers) - 0.5, -0.5)
    axis.set_xlabel('gain over the student of the CE teacher (points)')
    axis.legend(title='student', frameon=False, fontsize=9, loc='center left', bbox_to_anchor=(1, 0.5))
    return made
