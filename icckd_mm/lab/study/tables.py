"""Tables of a study: each cell against its references, and the measures of every cell."""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean

from icckd_mm.lab.page import Block
from icckd_mm.lab.stats.paired import FEWEST_SEEDS, PairedDifference, verdicts
from icckd_mm.lab.stats.power import seeds_needed
from icckd_mm.lab.study.comparison import ALONE, MEASURES_AGAINST, REFERENCES, Comparison
from icckd_mm.lab.study.guessing import guessing
from icckd_mm.lab.study.measures import measures
from icckd_mm.lab.study.numbers import bounds, number

ROUNDING = 1e-3  # points; larger than the rounding of records
SMALL = 0.3  # points of accuracy for which the number of seeds is given
HIGHER = {'better': 'higher', 'worse': 'lower'}  # verdicts on measures


def comparison_tables(comparison: Comparison) -> list[Block]:
    """One table per student method and reference, and one of the teachers against the CE teacher."""
    blocks = []
    methods = dict.fromkeys(method for method, _ in comparison.columns)
    tables = [(method, teacher) for method in methods for teacher in REFERENCES] + [('', 'ce')]
    for method, teacher in tables:
        controls = ('',) if teacher == ALONE else ('', 'ce')
        treated = [cell for cell in comparison.cells if cell.student == method and cell.teacher not in controls]
        found = [(cell, cell.gains[teacher]) for cell in treated if teacher in cell.gains]
        if not found:
            continue
        head = ('cell', 'seeds', 'difference', '95 % interval', 'd_z', 'p', 'p (Holm)', f'seeds for {SMALL}', 'verdict')
        said = verdicts([gain for _, gain in found])
        rows = [(cell.label, *_tested(gain, *verdict)) for (cell, gain), verdict in zip(found, said)]
        whose = 'all' if teacher == ALONE else 'other'
        of = f'{method} students of {whose} teachers' if method else 'other teachers'
        those = 'those of ' if method and teacher != ALONE else ''
        counts = Counter(verdict for _, verdict in said)
        text = (
            f'Points of accuracy, {of} less {those}{REFERENCES[teacher]}. Of {len(said)} comparisons: '
            + ', '.join(f'{count} {verdict}' for verdict, count in sorted(counts.items()))
            + f'. "seeds for {SMALL}" is how many seeds would find a true difference of {SMALL} points with a chance of 80 % '
            'at the noise seen here, before any correction.'
        )
        title = f'Students ({method}) against {those}' if method else 'Teachers against '
        blocks.append(Block(f'{title}{REFERENCES[teacher]}', text, (head, *rows)))
    return blocks


def measure_tables(comparison: Comparison) -> list[Block]:
    """Changes of measures by the loss, one table per stage; none if the plan has no two-view teacher."""
    blocks = []
    for stage, changes in comparison.changes.items():
        rows = []
        for name, found in changes.items():
            said = verdicts([change for _, change in found])
            rows += [
                (
                    name,
                    cell.label,
                    str(c.difference.count),
                    f'{c.difference.mean:+.3f}',
                    bounds(c.difference, '+.3f'),
                    number(c.p_value, '.4f'),
                    number(p_value, '.4f'),
                    HIGHER.get(verdict, verdict),
                )
                for (cell, c), (p_value, verdict) in zip(found, said)
            ]
        if rows:
            head = ('measure', 'cell', 'seeds', 'difference', '95 % interval', 'p', 'p (Holm)', 'verdict')
            text = (
                f'Of the test split, less those of {REFERENCES[MEASURES_AGAINST]}, paired by seed and tested as accuracies '
                "are, with Holm's correction over the cells of a measure."
            )
            blocks.append(Block(f'Measures of {stage}s against {REFERENCES[MEASURES_AGAINST]}', text, (head, *rows)))
    return blocks


def cell_tables(comparison: Comparison) -> list[Block]:
    """Accuracy and measures of all teachers, and of all students."""
    blocks = []
    for stage, chosen in (('teacher', comparison.teachers), ('student', comparison.students)):
        measured = [[measures(record) for record in cell.seeds.values()] for cell in chosen]
        names = list(dict.fromkeys(name for cell in measured for record in cell for name in record))
        rows: list[tuple[str, ...]] = []
        for cell, found in zip(chosen, measured):
            last = cell.accuracy
            best = fmean(record['best_accuracy'] for record in cell.seeds.values())
            means = [[record[name] for record in found if name in record] for name in names]
            rows.append(
                (
                    cell.label,
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
            ) + guessing(chosen)
            head = ('cell', 'seeds', 'last epoch', '95 % interval', 'best epoch', *names)
            blocks.append(Block(f'All {stage}s', text, (head, *rows)))
    return blocks


def _tested(gain: PairedDifference, p_value: float, verdict: str) -> tuple[str, ...]:
    needed = seeds_needed(gain.deviation, SMALL) if gain.difference.count >= FEWEST_SEEDS else None
    return (
        str(gain.difference.count),
        f'{gain.difference.mean:+.2f}',
        bounds(gain.difference, '+.2f'),
        number(gain.effect if gain.deviation > ROUNDING else math.nan, '+.2f'),
        number(gain.p_value, '.4f'),
        number(p_value, '.4f'),
        '–' if needed is None else str(needed),
        verdict,
    )
