"""Tables of a study: each cell against its references, and what was measured of every cell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from statistics import fmean

from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.page import Block
from icckd_mm.lab.stats.paired import FEWEST_SEEDS, Comparison, Interval, verdicts
from icckd_mm.lab.stats.power import seeds_needed
from icckd_mm.lab.study.cells import CellResults, against, label, last_accuracy, reference_of

REFERENCES = {'ce': 'the CE teacher', 'ce-2view': 'the two-view CE teacher (λ = 0)'}
GEOMETRY = ('intra', 'inter', 'ratio')
OPTIONAL = ('subclass_probe', 'views')  # dicts of figures that some data sets have beside
ROUNDING = 1e-3  # points; what records are rounded to leaves less
SMALL = 0.3  # points of accuracy for which the number of seeds is given


def comparison_tables(plan: Plan, cells: Sequence[CellResults]) -> list[Block]:
    """A table for each student method and reference, and one of the teachers against that of cross-entropy."""
    blocks = []
    tables = [(method, teacher) for method in student_methods(cells) for teacher in REFERENCES] + [('', 'ce')]
    for method, teacher in tables:
        treated = [cell for cell in cells if cell.factors.get('student', '') == method and cell.teacher not in ('', 'ce')]
        pairs = [(cell, reference_of(cell, cells, teacher)) for cell in treated]
        compared = [(cell, against(cell, reference)) for cell, reference in pairs if reference]
        found = [(cell, comparison) for cell, comparison in compared if comparison]
        if not found:
            continue
        head = ('cell', 'seeds', 'difference', '95 % interval', 'd_z', 'p', 'p (Holm)', f'seeds for {SMALL}', 'verdict')
        said = verdicts([comparison for _, comparison in found])
        rows = [(label(cell, plan.default), *_compared(c, *verdict)) for (cell, c), verdict in zip(found, said)]
        of = f'{method} students of other teachers' if method else 'other teachers'
        counts = Counter(verdict for _, verdict in said)
        text = (
            f'Points of accuracy, {of} less {"those of " if method else ""}{REFERENCES[teacher]}. Of {len(said)} comparisons: '
            + ', '.join(f'{count} {verdict}' for verdict, count in sorted(counts.items()))
            + f'. "seeds for {SMALL}" is how many seeds would find a true difference of {SMALL} points with a chance of 80 % '
            'at the noise seen here, before any correction.'
        )
        whose = f'Students ({method}) against those of' if method else 'Teachers against'
        blocks.append(Block(f'{whose} {REFERENCES[teacher]}', text, (head, *rows)))
    return blocks


def cell_tables(plan: Plan, cells: Sequence[CellResults]) -> list[Block]:
    """Accuracy and measures of all teachers, and of all students."""
    blocks = []
    for stage in ('teacher', 'student'):
        chosen = [cell for cell in cells if cell.stage == stage]
        measured = [[measures(record) for record in cell.seeds.values()] for cell in chosen]
        names = list(dict.fromkeys(name for cell in measured for record in cell for name in record))
        rows: list[tuple[str, ...]] = []
        for cell, found in zip(chosen, measured):
            last = cell.interval(last_accuracy)
            best = fmean(record['best_accuracy'] for record in cell.seeds.values())
            means = [[record[name] for record in found if name in record] for name in names]
            rows.append(
                (
                    label(cell, plan.default),
                    str(last.count),
                    f'{last.mean:.2f}',
                    bounds(last, '.2f'),
                    f'{best:.2f}',
                    *(f'{fmean(values):.3f}' if values else '–' for values in means),
                )
            )
        if rows:
            text = (
                'Means over seeds. Geometry, calibration error (15 bins) and entropy of the predictions (nats) are of the test '
                'split.'
            )
            head = ('cell', 'seeds', 'last epoch', '95 % interval', 'best epoch', *names)
            blocks.append(Block(f'All {stage}s', text, (head, *rows)))
    return blocks


def student_methods(cells: Sequence[CellResults]) -> list[str]:
    """Methods of the students that have a teacher."""
    return list(dict.fromkeys(cell.factors['student'] for cell in cells if cell.stage == 'student' and cell.teacher))


def bounds(interval: Interval, form: str) -> str:
    """An interval in words; a dash for a single seed."""
    return '–' if math.isnan(interval.low) else f'{interval.low:{form}} to {interval.high:{form}}'


def _compared(c: Comparison, p_value: float, verdict: str) -> tuple[str, ...]:
    needed = seeds_needed(c.deviation, SMALL) if c.difference.count >= FEWEST_SEEDS else None
    return (
        str(c.difference.count),
        f'{c.difference.mean:+.2f}',
        bounds(c.difference, '+.2f'),
        number(c.effect if c.deviation > ROUNDING else math.nan, '+.2f'),
        number(c.p_value, '.4f'),
        number(p_value, '.4f'),
        '–' if needed is None else str(needed),
        verdict,
    )


def measures(record: Record) -> dict[str, float]:
    """Figures of a record by the heads of their columns."""
    found = {**{name: record['geometry'][name] for name in GEOMETRY}, 'ECE': record['ece'], 'entropy': record['entropy']}
    for key in OPTIONAL:
        for name, value in (record.get(key) or {}).items():
            if value is not None:
                found[f'{key}: {name}'.replace('_', ' ')] = value
    return found


def number(value: float, form: str) -> str:
    """A number in words; a dash where there is none."""
    return '–' if math.isnan(value) else f'{value:{form}}'
