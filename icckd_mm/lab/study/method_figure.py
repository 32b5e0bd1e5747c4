"""Figure of the gain of every teacher with every student method."""

from __future__ import annotations

from matplotlib.figure import Figure

from icckd_mm.lab.study.comparison import Comparison
from icckd_mm.lab.study.figures import errors
from icckd_mm.lab.style import figure, line_style


def method_figure(comparison: Comparison) -> Figure | None:
    """Gain of students over those of the CE teacher: one line of marks per teacher, one mark per student method.

    Returns:
        None for a single student method, or without a CE teacher.
    """
    students, gains = comparison.columns, {}
    for row in comparison.rows:
        teacher = next(iter(row.values())).teacher_label
        for column in students:
            if column in row and 'ce' in row[column].gains:
                gains[teacher, column] = row[column].gains['ce'].difference
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
