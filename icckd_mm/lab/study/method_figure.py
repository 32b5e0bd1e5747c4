"""Figure of the gain of every teacher with every student method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

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
    lines = {key: line for line, key in enumerate(_lines(list(gains), list(students)))}
    made, ((axis,),) = figure(1, 1, 7.2, 1.2 + 0.2 * len(lines))
    for number, (column, name) in enumerate(students.items()):
        found = [(lines[key], gain) for key, gain in gains.items() if key[1] == column]
        style = {**line_style(number), 'linestyle': 'none', 'linewidth': 0.8, 'mfc': 'none', 'capsize': 2}
        intervals = [interval for _, interval in found]
        axis.errorbar([i.mean for i in intervals], [y for y, _ in found], xerr=errors(intervals), label=name, **style)
    axis.axvline(0, color='black', linewidth=0.8)
    places: dict[str, list[int]] = {}
    for (teacher, column), line in lines.items():
        if column is None:
            axis.axhline(line, color='#cccccc', linewidth=0.6)
        else:
            places.setdefault(teacher, []).append(line)
    axis.set_yticks([sum(found) / len(found) for found in places.values()], list(places))
    axis.set_ylim(len(lines) - 1, -1)
    axis.set_xlabel('gain over the student of the CE teacher (points)')
    axis.legend(title='student', frameon=False, fontsize=9, loc='center left', bbox_to_anchor=(1, 0.5))
    return made


def _lines(keys: Sequence[tuple[str, Any]], students: Sequence[Any]) -> Iterator[tuple[str, Any]]:
    """Teacher and student of each line from the top; a line without a student ends the teacher."""
    for teacher in dict.fromkeys(teacher for teacher, _ in keys):
        yield from ((teacher, column) for column in students if (teacher, column) in keys)
        yield teacher, None
