"""Which measure of a teacher tells in advance how much its student gains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.page import Block
from icckd_mm.lab.stats.paired import Interval
from icckd_mm.lab.stats.rank import pooled_rank_correlation, rank_correlation
from icckd_mm.lab.study.cells import CellResults, Column
from icckd_mm.lab.study.comparison import ALONE, Comparison
from icckd_mm.lab.study.measures import measures
from icckd_mm.lab.study.numbers import with_bounds

CANDIDATES: dict[str, Callable[[Record], float | None]] = {
    'accuracy': lambda record: record['last_accuracy'],
    'ECE': lambda record: record['ece'],
    'ratio': lambda record: record['geometry']['ratio'],
    'CMI': lambda record: record.get('cmi'),
    'subclass probe: within coarse': lambda record: measures(record).get('subclass probe: within coarse'),
    'hidden classes: linear': lambda record: measures(record).get('hidden classes: linear'),
}


def readiness_table(comparison: Comparison) -> list[Block]:
    """Rank correlation of each measure of the teachers with the gain of their students over the student alone.

    Returns:
        The table, a row per measure and a column per student; none without a student that has five teachers or more.
    """
    columns = {column: _pairs(comparison, column) for column in comparison.columns}
    rows = []
    for name, of in CANDIDATES.items():
        cells = [_correlation(pairs, of) for pairs in columns.values()]
        if any(cell != '–' for cell in cells):
            rows.append((name, *cells))
    if not rows:
        return []
    text = (
        "Spearman's rank correlation over the teachers between a measure of the teacher and the gain of its student over the "
        'student alone, means over the same seeds, with 95 % bootstrap interval over the teachers [number of teachers]. An '
        'interval across 0 shows no relation. Teachers of one study are few and alike: compare with the row of the accuracy.'
    )
    head = ('measure of the teacher', *comparison.columns.values())
    return [Block('What tells a good teacher in advance', text, (head, *rows))]


def pooled_readiness(studies: Sequence[Comparison], student: str = 'kd') -> list[tuple[str, str]]:
    """The correlations of :func:`readiness_table` for one distiller, over the teachers of several studies.

    Args:
        studies: Comparisons of different plans. Ranks are taken within each study and pair of networks.
        student: Method of the students. Defaults to ``'kd'``.

    Returns:
        A row per measure: its name, and the correlation with its interval and the number of teachers.
    """
    groups = [_pairs(study, column) for study in studies for column in study.columns if column[0] == student]
    found = {name: pooled_rank_correlation([_points(pairs, of) for pairs in groups]) for name, of in CANDIDATES.items()}
    return [(name, _written(value)) for name, value in found.items() if value is not None]


def _pairs(comparison: Comparison, column: Column) -> list[tuple[CellResults, CellResults]]:
    """Teachers with their students of one column that have a gain over the student alone."""
    found = [(row.get(('', '')), row.get(column)) for row in comparison.rows]
    return [(teacher, student) for teacher, student in found if teacher and student and ALONE in student.gains]


def _correlation(pairs: list[tuple[CellResults, CellResults]], of: Callable[[Record], float | None]) -> str:
    return _written(rank_correlation(*_points(pairs, of)))


def _points(
    pairs: list[tuple[CellResults, CellResults]], of: Callable[[Record], float | None]
) -> tuple[list[float], list[float]]:
    """A measure of each teacher and the gain of its student; teachers without the measure are left out."""
    values, gains = [], []
    for teacher, student in pairs:
        seeds = sorted(teacher.seeds.keys() & student.seeds.keys() & student.references[ALONE].seeds.keys())
        known = [of(teacher.seeds[seed]) for seed in seeds]
        measured = [value for value in known if value is not None]
        if measured and len(measured) == len(known):
            values.append(fmean(measured))
            alone = student.references[ALONE].seeds
            gains.append(fmean(student.seeds[seed]['last_accuracy'] - alone[seed]['last_accuracy'] for seed in seeds))
    return values, gains


def _written(found: Interval | None) -> str:
    return '–' if found is None else f'{with_bounds(found, "+.2f")} [{found.count}]'
