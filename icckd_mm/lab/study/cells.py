"""Records by cell, and each cell beside what it is compared with."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from icckd_mm.lab.experiment.plan import FACTORS
from icckd_mm.lab.experiment.recipes import USES
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.stats.paired import Comparison, Interval, compare, mean_interval

SYMBOLS = {'loss_weight': 'λ', 'margin': 'δ', 'temperature': 'τ', 'queue_size': 'K'}
WORDS = {  # what an ablation is called
    ('margin', -1): 'no margin (δ=-1)',
    ('queue_size', 0): 'no queue',
    ('in_batch_negatives', False): 'queue only',
    ('features', 'logits'): 'of logits',
}
PLACE = ('data', 'images', 'epochs')  # comparisons stay within one place


@dataclass(frozen=True)
class CellResults:
    """The seeds of one cell.

    Attributes:
        stage (str): ``'teacher'`` or ``'student'``.
        factors (dict): What it is.
        seeds (dict[int, Record]): Its records.
    """

    stage: str
    factors: dict[str, Any]
    seeds: dict[int, Record]

    @property
    def teacher(self) -> str:
        """Method of its teacher, ``''`` for a student alone."""
        return self.factors.get('teacher', '')

    def values(self, of: Callable[[Record], float]) -> list[float]:
        """A figure of each seed, in the order of the seeds."""
        return [of(self.seeds[seed]) for seed in sorted(self.seeds)]

    def interval(self, of: Callable[[Record], float]) -> Interval:
        """Mean and interval of a figure."""
        return mean_interval(self.values(of))


def _order(cell: CellResults) -> tuple:
    def sortable(value: Any) -> tuple[float, str]:
        return (value, '') if isinstance(value, (int, float)) else (-1.0, str(value))

    methods = list(USES)
    teacher = methods.index(cell.teacher) if cell.teacher else -1
    return cell.stage, teacher, cell.factors.get('student', ''), [sortable(cell.factors.get(name)) for name in FACTORS]


def last_accuracy(record: Record) -> float:
    """Top-1 of the last epoch, in percent."""
    return record['last_accuracy']


def ratio(record: Record) -> float:
    """Intra- over inter-class distance."""
    return record['geometry']['ratio']


def cells_of(records: Sequence[Record]) -> list[CellResults]:
    """Group records by what they are, whatever their seed.

    Args:
        records (Sequence[Record]): Of one plan.

    Returns:
        list[CellResults]: By stage, teacher, student, and then by the factors.

    Raises:
        ValueError: If there are two results for one cell and seed, as of two versions of the code.
    """
    cells: dict[str, CellResults] = {}
    for record in records:
        key = json.dumps([record['stage'], record['factors']], sort_keys=True)
        cell = cells.setdefault(key, CellResults(record['stage'], record['factors'], {}))
        if record['seed'] in cell.seeds:
            other = cell.seeds[record['seed']]
            raise ValueError(
                f'{record["run"]} and {other["run"]} are results of one cell and seed, with code {record["code"]} and '
                f'{other["code"]} or other options; keep one of them in results.jsonl'
            )
        cell.seeds[record['seed']] = record
    return sorted(cells.values(), key=_order)


def label(cell: CellResults, default: dict[str, Any]) -> str:
    """A cell in a few words: its methods, and the factors that are not at their default."""
    words = [word for word in (cell.teacher, cell.factors.get('student', '')) if word]
    name = ' → '.join(words) if len(words) > 1 else words[0]
    shown = [
        WORDS.get((key, value), f'{SYMBOLS.get(key, key)}={written(value)}')
        for key, value in cell.factors.items()
        if key in FACTORS and key not in ('teacher', 'student') and value != default.get(key)
    ]
    return ', '.join([name, *shown])


def written(value: Any) -> str:
    """A value of a factor for people."""
    return f'{value:g}' if isinstance(value, float) else str(value)


def reference_of(cell: CellResults, cells: Sequence[CellResults], teacher: str) -> CellResults | None:
    """The cell that differs from ``cell`` in its teacher alone, which is ``teacher``; None if there is none or it is that."""
    same = [*PLACE, 'network', 'pair', 'student']
    if 'second_view' in cell.factors and teacher == 'ce-2view':
        same.append('second_view')

    def fits(other: CellResults) -> bool:
        return other.stage == cell.stage and all(other.factors.get(key) == cell.factors.get(key) for key in same)

    if cell.teacher == teacher:
        return None
    return next((other for other in cells if other.teacher == teacher and fits(other)), None)


def against(cell: CellResults, reference: CellResults, of: Callable[[Record], float] = last_accuracy) -> Comparison | None:
    """Compare two cells by the seeds they share; None if there is none."""
    seeds = sorted(cell.seeds.keys() & reference.seeds.keys())
    if not seeds:
        return None
    return compare([of(cell.seeds[seed]) for seed in seeds], [of(reference.seeds[seed]) for seed in seeds])


def slices(cells: Sequence[CellResults], factor: str) -> dict[str, list[CellResults]]:
    """Series of cells that differ in ``factor`` alone, at least two each.

    Args:
        cells (Sequence[CellResults]): Cells of one stage.
        factor (str): A factor.

    Returns:
        dict[str, list[CellResults]]: By a name made of what sets the series apart from the others, in the order of the factor.
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
