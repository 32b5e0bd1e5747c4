"""Compares the records of a plan, once, for all tables and figures."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.stats.paired import PairedDifference, compare
from icckd_mm.lab.study.cells import OF_THE_STUDENT, CellResults, Column, cells_of
from icckd_mm.lab.study.measures import OPTIONAL, measures
from icckd_mm.plain_text import plain

ALONE = 'alone'  # the student without a teacher
REFERENCES = {'ce': 'the CE teacher', 'ce-2view': 'the two-view CE teacher (λ = 0)', ALONE: 'the student alone'}
PLACE = ('data', 'images', 'epochs')  # comparisons stay within equal values of these
MEASURES_AGAINST = 'ce-2view'
OF_TEACHERS = ('ratio',)  # in addition to the optional measures: the quantity of the paper's theorem


@dataclass(frozen=True)
class Comparison:
    """The results of a plan and their comparisons.

    Attributes:
        plan: Name of the plan.
        title: Heading of the report.
        seeds: Seeds of the plan.
        default: Values of the factors that labels do not name.
        records: All results.
        data: The data of the study in one sentence, shown with every figure.
        cells: By stage, teacher, student and factors; each with its gains over its references.
        teachers: The cells of the teachers.
        students: The cells of the students.
        rows: The cells of each teacher by column of its students; the teacher itself is in the column ``('', '')``.
        columns: Names of the student methods by column: the method, with its pair if there are several.
        changes: Measures minus those of the two-view CE teacher, paired by seed, by stage and measure.
    """

    plan: str
    title: str
    seeds: tuple[int, ...]
    default: dict[str, Any]
    records: Sequence[Record]
    data: str
    cells: list[CellResults]
    teachers: list[CellResults]
    students: list[CellResults]
    rows: list[dict[Column, CellResults]]
    columns: dict[Column, str]
    changes: dict[str, dict[str, list[tuple[CellResults, PairedDifference]]]]


def compare_records(plan: Plan, records: Sequence[Record]) -> Comparison:
    """Group the results of a plan, and compare each cell with its references.

    Args:
        plan: The plan.
        records: Its results, in any order; some may be missing.

    Raises:
        ValueError: If there are two results for one run.
    """
    cells = cells_of(records, plan.default)
    for cell in cells:
        for teacher in REFERENCES:
            reference = _reference(cell, cells, teacher)
            if reference is not None:
                cell.references[teacher] = reference
                gain = paired(cell, reference, lambda record: record['last_accuracy'])
                if gain is not None:
                    cell.gains[teacher] = gain
    stages = {stage: [cell for cell in cells if cell.stage == stage] for stage in ('teacher', 'student')}
    columns = dict.fromkeys(cell.column for cell in stages['student'] if cell.teacher)
    several = len({pair for _, pair in columns}) > 1
    return Comparison(
        plan=plan.name,
        title=plan.title,
        seeds=plan.seeds,
        default=plan.default,
        records=records,
        data=_data(cells),
        cells=cells,
        teachers=stages['teacher'],
        students=stages['student'],
        rows=_rows([*stages['teacher'], *stages['student']]),
        columns={column: ' '.join(column) if several else column[0] for column in columns},
        changes={stage: _changes(chosen) for stage, chosen in stages.items()},
    )


def _data(cells: Sequence[CellResults]) -> str:
    """The data sets and numbers of images."""
    used = {(cell.factors['data'], cell.factors['images']) for cell in cells}
    names = sorted(f'{plain(data)}, {"all" if images is None else images} training images' for data, images in used)
    return f'Data: {"; ".join(names)}.'


def _rows(cells: Sequence[CellResults]) -> list[dict[Column, CellResults]]:
    rows: dict[str, dict[Column, CellResults]] = {}
    for cell in cells:
        if cell.teacher:
            own = {key: value for key, value in cell.factors.items() if key not in OF_THE_STUDENT}
            # records of a teacher name its network, those of a student the pair, which begins with it
            own['network'] = cell.factors.get('network') or cell.factors['pair'].split('_')[0]
            rows.setdefault(json.dumps(own, sort_keys=True), {})[cell.column] = cell
    return list(rows.values())


def paired(cell: CellResults, reference: CellResults, of: Callable[[Record], float]) -> PairedDifference | None:
    """The difference of two cells over their common seeds; None without common seeds."""
    seeds = sorted(cell.seeds.keys() & reference.seeds.keys())
    if not seeds:
        return None
    return compare([of(cell.seeds[seed]) for seed in seeds], [of(reference.seeds[seed]) for seed in seeds])


def _reference(cell: CellResults, cells: Sequence[CellResults], teacher: str) -> CellResults | None:
    """The cell that differs from ``cell`` only in having the teacher ``teacher``, or in having none."""
    if teacher == ALONE:
        return _alone(cell, cells)
    same = [*PLACE, 'network', 'pair', 'student']
    if teacher == 'ce-2view':
        same += ['positive', *(['second_view'] if 'second_view' in cell.factors else [])]

    def fits(other: CellResults) -> bool:
        return other.stage == cell.stage and all(other.factors.get(key) == cell.factors.get(key) for key in same)

    if cell.teacher == teacher:
        return None
    return next((other for other in cells if other.teacher == teacher and fits(other)), None)


def _alone(cell: CellResults, cells: Sequence[CellResults]) -> CellResults | None:
    """The same network on the same images, without a teacher."""
    if not cell.teacher or not cell.student:
        return None
    network = cell.factors['pair'].partition('_')[2]

    def fits(other: CellResults) -> bool:
        same = all(other.factors.get(key) == cell.factors.get(key) for key in PLACE)
        return same and other.student == ALONE and other.factors.get('network') == network

    return next((other for other in cells if fits(other)), None)


def _changes(chosen: Sequence[CellResults]) -> dict[str, list[tuple[CellResults, PairedDifference]]]:
    """Differences by measure: for teachers the ratio of distances, for both stages those of some data sets only."""
    prefixes = tuple(f'{key}:'.replace('_', ' ') for key in OPTIONAL)
    found: dict[str, list[tuple[CellResults, PairedDifference]]] = {}
    for name in dict.fromkeys(name for cell in chosen for record in cell.seeds.values() for name in measures(record)):
        if not name.startswith(prefixes) and (name not in OF_TEACHERS or chosen[0].stage == 'student'):
            continue
        values = {measures(record).get(name) for cell in chosen for record in cell.seeds.values()}
        for cell in chosen if len(values) > 1 else ():  # else it belongs to the data, such as the accuracy of random guesses
            reference = cell.references.get(MEASURES_AGAINST) if cell.teacher not in ('', 'ce') else None
            both = [*cell.seeds.values(), *reference.seeds.values()] if reference else []
            if reference and all(name in measures(record) for record in both):
                change = paired(cell, reference, functools.partial(_measure, name))
                if change is not None:
                    found.setdefault(name, []).append((cell, change))
    return found


def _measure(name: str, record: Record) -> float:
    return measures(record)[name]
