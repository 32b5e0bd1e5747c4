"""Groups records by cell and labels the cells."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from icckd_mm.lab.experiment.plan import FACTORS
from icckd_mm.lab.experiment.recipes import USES
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.stats.paired import Interval, PairedDifference, mean_interval

SYMBOLS = {'loss_weight': 'λ', 'margin': 'δ', 'temperature': 'τ', 'queue_size': 'K'}
WORDS = {  # names of the ablations
    ('margin', -1): 'no margin (δ=-1)',
    ('queue_size', 0): 'no queue',
    ('in_batch_negatives', False): 'queue only',
    ('features', 'logits'): 'of logits',
}
OF_THE_STUDENT = ('student', 'pair', 'network')
Column = tuple[str, str]


@dataclass(frozen=True, eq=False)
class CellResults:
    """The seeds of one cell, and its comparisons.

    Attributes:
        stage: ``'teacher'`` or ``'student'``.
        factors: The values of its factors.
        seeds: Its records.
        label: Its methods, and its factors with other than default values.
        teacher_label: The label of its teacher.
        references: Cells that differ from this one only in the teacher, by the method of that teacher; ``'alone'``: none.
        gains: Accuracy minus that of the reference, paired by seed, by the same keys.
    """

    stage: str
    factors: dict[str, Any]
    seeds: dict[int, Record] = field(default_factory=dict)
    label: str = ''
    teacher_label: str = ''
    references: dict[str, CellResults] = field(default_factory=dict)
    gains: dict[str, PairedDifference] = field(default_factory=dict)

    @property
    def teacher(self) -> str:
        """Method of its teacher, ``''`` for a student alone."""
        return self.factors.get('teacher', '')

    @property
    def student(self) -> str:
        """Method of its student, ``''`` for a teacher."""
        return self.factors.get('student', '')

    @property
    def column(self) -> Column:
        """Method and pair of its student, both ``''`` for a teacher."""
        return self.student, self.factors.get('pair', '')

    def values(self, of: Callable[[Record], float]) -> list[float]:
        """A value of each seed, in the order of the seeds."""
        return [of(self.seeds[seed]) for seed in sorted(self.seeds)]

    @cached_property
    def accuracy(self) -> Interval:
        """Top-1 of the last epoch, in percent."""
        return mean_interval(self.values(lambda record: record['last_accuracy']))

    @cached_property
    def ratio(self) -> Interval:
        """Intra- over inter-class distance."""
        return mean_interval(self.values(lambda record: record['geometry']['ratio']))


def cells_of(records: Sequence[Record], default: Mapping[str, Any] = FACTORS) -> list[CellResults]:
    """Group records of all seeds by their factors.

    Args:
        records: Records of one plan.
        default: Values of the factors that a label does not name.

    Returns:
        The cells, sorted by stage, teacher, student and factors.

    Raises:
        ValueError: If there are two results for one cell and seed, for example of two versions of the code.
    """
    cells: dict[str, CellResults] = {}
    for record in records:
        stage, factors = record['stage'], record['factors']
        key = json.dumps([stage, factors], sort_keys=True)
        if key not in cells:
            of_teacher = {name: value for name, value in factors.items() if name not in OF_THE_STUDENT}
            own = label(of_teacher, default) if 'teacher' in factors else ''
            cells[key] = CellResults(stage, factors, label=label(factors, default), teacher_label=own)
        seeds = cells[key].seeds
        if record['seed'] in seeds:
            other = seeds[record['seed']]
            raise ValueError(
                f'{record["run"]} and {other["run"]} are results of one cell and seed, with code {record["code"]} and '
                f'{other["code"]} or other options; keep one of them in results.jsonl'
            )
        seeds[record['seed']] = record
    return sorted(cells.values(), key=_order)


def label(factors: Mapping[str, Any], default: Mapping[str, Any]) -> str:
    """Label of a cell: its methods, and its factors with other than default values."""
    name = ' → '.join(factors[role] for role in ('teacher', 'student') if factors.get(role))
    shown = [
        WORDS.get((key, value), f'{SYMBOLS.get(key, key)}={written(value)}')
        for key, value in factors.items()
        if key in FACTORS and key not in ('teacher', 'student') and value != default.get(key)
    ]
    return ', '.join([name, *shown])


def written(value: Any) -> str:
    """A value of a factor as text."""
    return f'{value:g}' if isinstance(value, float) else str(value)


def _order(cell: CellResults) -> tuple:
    def sortable(value: Any) -> tuple[float, str]:
        return (value, '') if isinstance(value, (int, float)) else (-1.0, str(value))

    teacher = list(USES).index(cell.teacher) if cell.teacher else -1
    return cell.stage, teacher, cell.student, [sortable(cell.factors.get(name)) for name in FACTORS]
