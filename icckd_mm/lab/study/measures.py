"""What the loss changes beside accuracy: each cell's measures against those of two views without the loss."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.page import Block
from icckd_mm.lab.stats.paired import Comparison, verdicts
from icckd_mm.lab.study.cells import CellResults, against, label, reference_of
from icckd_mm.lab.study.tables import OPTIONAL, REFERENCES, bounds, measures, number

REFERENCE = 'ce-2view'
OF_TEACHERS = ('ratio',)  # beside the optional ones: the quantity of the paper's theorem
WORDS = {'better': 'higher', 'worse': 'lower'}


def measure_tables(plan: Plan, cells: Sequence[CellResults]) -> list[Block]:
    """A table of the teachers' measures and one of the students'; none where the plan has no two-view teacher.

    Args:
        plan (Plan): The plan.
        cells (Sequence[CellResults]): Its cells.

    Returns:
        list[Block]: For teachers the ratio of intra- to inter-class distance; for both what only some data sets have.
    """
    blocks = []
    for stage in ('teacher', 'student'):
        rows = []
        for name, found in _compared([cell for cell in cells if cell.stage == stage], cells).items():
            said = verdicts([comparison for _, comparison in found])
            rows += [
                (
                    name,
                    label(cell, plan.default),
                    str(c.difference.count),
                    f'{c.difference.mean:+.3f}',
                    bounds(c.difference, '+.3f'),
                    number(c.p_value, '.4f'),
                    number(p_value, '.4f'),
                    WORDS.get(verdict, verdict),
                )
                for (cell, c), (p_value, verdict) in zip(found, said)
            ]
        if rows:
            head = ('measure', 'cell', 'seeds', 'difference', '95 % interval', 'p', 'p (Holm)', 'verdict')
            text = (
                f'Of the test split, less those of {REFERENCES[REFERENCE]}, paired by seed and tested as accuracies are, with '
                "Holm's correction over the cells of a measure."
            )
            blocks.append(Block(f'Measures of {stage}s against {REFERENCES[REFERENCE]}', text, (head, *rows)))
    return blocks


def _compared(chosen: Sequence[CellResults], cells: Sequence[CellResults]) -> dict[str, list[tuple[CellResults, Comparison]]]:
    """Comparisons by measure."""
    prefixes = tuple(f'{key}:'.replace('_', ' ') for key in OPTIONAL)
    found: dict[str, list[tuple[CellResults, Comparison]]] = {}
    for name in dict.fromkeys(name for cell in chosen for record in cell.seeds.values() for name in measures(record)):
        if not name.startswith(prefixes) and (name not in OF_TEACHERS or chosen[0].stage == 'student'):
            continue
        values = {measures(record).get(name) for cell in chosen for record in cell.seeds.values()}
        for cell in chosen if len(values) > 1 else ():  # else it is of the data, such as the chance to guess right
            reference = reference_of(cell, cells, REFERENCE) if cell.teacher not in ('', 'ce') else None
            both = [*cell.seeds.values(), *reference.seeds.values()] if reference else []
            if reference and all(name in measures(record) for record in both):
                comparison = against(cell, reference, functools.partial(_measure, name))
                if comparison:
                    found.setdefault(name, []).append((cell, comparison))
    return found


def _measure(name: str, record: Record) -> float:
    return measures(record)[name]
