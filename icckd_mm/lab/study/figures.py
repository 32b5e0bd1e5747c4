"""Figures of a study; markers, dashes and hatches distinguish the series without colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Callable

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from icckd_mm.lab.experiment.plan import FACTORS
from icckd_mm.lab.stats.paired import Interval
from icckd_mm.lab.study.cells import SYMBOLS, CellResults, written
from icckd_mm.lab.study.comparison import Comparison
from icckd_mm.lab.style import COLOURS, figure, line_style

HATCHES = ('', '///', '...', 'xxx', '++', 'oo')
AXES = {'loss_weight': 'weight λ of the intra-class loss', 'margin': 'margin δ'}


def gain_figure(comparison: Comparison, factor: str) -> Figure | None:
    """Gain of students over those of the CE teacher, against a factor of their teachers.

    Args:
        comparison: The study.
        factor: ``'loss_weight'`` or ``'margin'``; for the first the two-view control is at 0.

    Returns:
        None if the factor was not varied, or there is no CE teacher.
    """
    students = comparison.students
    made = _series_figure(students, factor, lambda cell: cell.gains['ce'].difference if 'ce' in cell.gains else None)
    if made is not None:
        axis = made.axes[0]
        _gain_axis(axis)
        if axis.get_legend() is None:
            series = next(iter(slices(students, factor).values()))
            axis.set_title(f'{series[0].student} students')
    return made


def ratio_figure(comparison: Comparison, factor: str = 'loss_weight') -> Figure | None:
    """Ratio of intra- to inter-class distance of the teachers, against a factor; None if it was not varied."""
    teachers = comparison.teachers
    made = _series_figure(teachers, factor, lambda cell: cell.ratio)
    if made is not None:
        axis = made.axes[0]
        for cell in teachers:
            if cell.teacher == 'ce':
                axis.axhline(cell.ratio.mean, color='black', linewidth=1, linestyle=(0, (1, 3)), label='CE, one view')
        axis.set_ylabel('intra / inter distance\nof test features (cosine)')
        _legend(axis)
    return made


def teacher_accuracy_figure(comparison: Comparison) -> Figure | None:
    """Gain of each student cell against the accuracy of its teacher; None without a CE teacher."""
    points: dict[str, list[tuple[float, int, Interval]]] = {}
    students = list(dict.fromkeys(method for method, _ in comparison.columns))
    for cell in comparison.students:
        if 'ce' in cell.gains:
            accuracy = float(np.mean(cell.values(lambda record: record['teacher_accuracy'])))
            number = students.index(cell.student)
            points.setdefault(cell.teacher, []).append((accuracy, number, cell.gains['ce'].difference))
    if not points:
        return None
    step = 0.008 * float(np.ptp([accuracy for found in points.values() for accuracy, _, _ in found]))  # side by side
    made, ((axis,),) = figure(1, 1, 6.4, 4)
    for number, (method, found) in enumerate(points.items()):
        style = {**line_style(number), 'linestyle': 'none', 'linewidth': 0.8, 'mfc': 'none', 'capsize': 2}
        intervals = [interval for _, _, interval in found]
        at = [accuracy + step * (student - (len(students) - 1) / 2) for accuracy, student, _ in found]
        axis.errorbar(at, [i.mean for i in intervals], errors(intervals), label=method, **style)
    axis.set_xlabel('teacher, top-1 of the last epoch (%)')
    _gain_axis(axis)
    _legend(axis)
    return made


def stability_figure(comparison: Comparison) -> Figure | None:
    """Validation curves of intra-class teachers by margin, and their changes between validations; None if it was not varied."""
    series = slices(comparison.teachers, 'margin')
    if not series:
        return None
    group = max(series.values(), key=len)
    made, ((left, right),) = figure(2, 1, 5.2, 4)
    jumps = []
    for number, cell in enumerate(group):
        curves = np.array(cell.values(lambda record: record['curve']))
        steps = np.arange(1, curves.shape[1] + 1)
        style = {**line_style(number), 'mfc': 'none', 'markevery': max(len(steps) // 8, 1)}
        left.plot(steps, curves.mean(axis=0), label=_margin_name(cell), **style)
        jumps.append(np.abs(np.diff(curves[:, len(steps) // 2 :], axis=1)).mean(axis=1))
    left.xaxis.set_major_locator(MaxNLocator(integer=True))
    left.set_xlabel('validation')
    left.set_ylabel('teacher, top-1 (%), mean over seeds')
    _legend(left)
    right.boxplot(jumps, medianprops={'color': 'black'})
    right.set_xticks(range(1, len(group) + 1), [_margin_name(cell) for cell in group])
    right.tick_params(axis='x', rotation=30)
    right.set_ylabel('mean change between validations,\nsecond half of training (points)')
    return made


def cost_figure(comparison: Comparison) -> Figure:
    """CPU time of a run by stage and method; without resumed runs."""
    times: dict[str, list[float]] = {}
    for cell in comparison.cells:
        method = cell.teacher if cell.stage == 'teacher' else cell.student
        for record in cell.seeds.values():
            if not record['time']['resumed']:
                times.setdefault(f'{cell.stage} {method}', []).append(record['time']['cpu_s'])
    names = sorted(times, reverse=True)
    made, ((axis,),) = figure(1, 1, 6.4, 1.2 + 0.35 * len(names))
    for number, name in enumerate(names):
        hatch = HATCHES[number % len(HATCHES)]
        axis.barh(name, np.median(times[name]), color='white', edgecolor=COLOURS[number % len(COLOURS)], hatch=hatch)
        axis.plot([min(times[name]), max(times[name])], [number, number], '-|', color='black')
    axis.set_xlabel('CPU seconds a run: median (bar), least and most (line)')
    return made


def slices(cells: Sequence[CellResults], factor: str) -> dict[str, list[CellResults]]:
    """Series of at least two cells that differ only in ``factor``.

    Args:
        cells: Cells of one stage.
        factor: A factor.

    Returns:
        The series by a name of their distinguishing factors; cells in the order of the factor.
    """
    groups: dict[str, list[CellResults]] = {}
    for cell in cells:
        if factor in cell.factors:
            rest = {key: value for key, value in cell.factors.items() if key != factor}
            groups.setdefault(json.dumps(rest, sort_keys=True), []).append(cell)
    groups = {key: sorted(group, key=lambda cell: cell.factors[factor]) for key, group in groups.items() if len(group) > 1}
    rests = [json.loads(key) for key in groups]
    differing = [key for key in FACTORS if len({json.dumps(rest.get(key)) for rest in rests}) > 1]
    names = [', '.join(f'{SYMBOLS.get(key, key)}={written(rest[key])}' for key in differing if key in rest) for rest in rests]
    return dict(zip(names, groups.values()))


def errors(intervals: Sequence[Interval]) -> np.ndarray:
    """Lower and upper lengths of error bars, ``(2, n)``; 0 for a single seed, which has no interval."""
    bounds = np.array([[i.mean - i.low, i.high - i.mean] for i in intervals]).T
    return np.clip(np.nan_to_num(bounds), 0, None)


def _series_figure(
    chosen: Sequence[CellResults], factor: str, figure_of: Callable[[CellResults], Interval | None]
) -> Figure | None:
    """Draw one line per series of ``slices``, with the two-view control at 0 if the factor is the weight."""
    lines = []
    for name, group in slices(chosen, factor).items():
        control = group[0].references.get('ce-2view') if factor == 'loss_weight' else None
        placed = [(0.0, figure_of(control))] if control and group[0].factors[factor] != 0 else []
        placed += [(cell.factors[factor], figure_of(cell)) for cell in group]
        points = [(x, interval) for x, interval in placed if interval is not None]
        if len(points) > 1:
            lines.append((name, bool(control), points))
    if not lines:
        return None
    made, ((axis,),) = figure(1, 1, 6.4, 4)
    ticks = sorted({x for _, _, points in lines for x, _ in points})
    for number, (name, _, points) in enumerate(lines):
        at = [ticks.index(x) + 0.08 * (number - (len(lines) - 1) / 2) for x, _ in points]  # side by side, not overlapping
        intervals = [interval for _, interval in points]
        style = {**line_style(number), 'mfc': 'none', 'capsize': 3}
        axis.errorbar(at, [i.mean for i in intervals], errors(intervals), label=name or None, **style)
    controlled = any(with_control for _, with_control, _ in lines)
    axis.set_xticks(range(len(ticks)), ['0\n(two views)' if controlled and x == 0 else written(x) for x in ticks])
    axis.set_xlabel(AXES.get(factor, factor))
    _legend(axis)
    return made


def _gain_axis(axis: Any) -> None:
    axis.axhline(0, color='black', linewidth=0.8)
    axis.set_ylabel('gain over the student\nof the CE teacher (points)')


def _margin_name(cell: CellResults) -> str:
    margin = cell.factors['margin']
    return 'no margin' if margin <= -1 else f'{SYMBOLS["margin"]}={written(margin)}'


def _legend(axis: Any) -> None:
    if axis.get_legend_handles_labels()[0]:
        axis.legend(frameon=False, fontsize=9)
