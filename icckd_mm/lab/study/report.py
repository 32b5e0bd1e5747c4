"""Writes ``report.md`` and a self-contained ``report.html`` from the results of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.lab.experiment.plan import FACTORS, Plan
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.page import Block, markdown, page
from icckd_mm.lab.study.cells import SYMBOLS, written
from icckd_mm.lab.study.comparison import Comparison, compare_records
from icckd_mm.lab.study.figure_blocks import figure_blocks
from icckd_mm.lab.study.grid import grids
from icckd_mm.lab.study.readiness import readiness_table
from icckd_mm.lab.study.tables import cell_tables, comparison_tables, measure_tables
from icckd_mm.lab.style import save
from icckd_mm.plain_text import plain

UNSAID = ('data', 'images', 'teacher', 'student')  # named elsewhere in the report


def write_report(plan: Plan, records: Sequence[Record], folder: str | Path) -> tuple[Path, Path]:
    """Write the report of a plan.

    Args:
        plan: The plan.
        records: Its results, in any order; some may be missing.
        folder: Folder for ``report.md``, its ``figures/`` and ``report.html``.

    Returns:
        The paths of both files.

    Raises:
        ValueError: If there are no results, or two for one run.
    """
    if not records:
        raise ValueError(f'there are no results of {plan.name} in {folder} to report; run the plan first')
    comparison = compare_records(plan, records)
    blocks = [
        _head(comparison),
        *grids(comparison),
        *comparison_tables(comparison),
        *figure_blocks(comparison),
        *measure_tables(comparison),
        *readiness_table(comparison),
        *cell_tables(comparison),
    ]
    folder = Path(folder)
    (folder / 'figures').mkdir(parents=True, exist_ok=True)
    for block in blocks:
        if block.figure is not None:
            save(block.figure, folder / block.file)
    paths = folder / 'report.md', folder / 'report.html'
    write_atomically(paths[0], markdown(comparison.title, blocks).encode())
    write_atomically(paths[1], page(comparison.title, blocks).encode())
    return paths


def _head(comparison: Comparison) -> Block:
    records, cells = comparison.records, comparison.cells
    seeds = sorted({record['seed'] for record in records})
    codes = {record['code'] for record in records}
    short = [cell for cell in cells if len(cell.seeds) < len(comparison.seeds)]
    text = (
        f'{len(records)} runs in {len(cells)} cells, seeds {", ".join(map(str, seeds))}; plan {comparison.plan}; code '
        f'{", ".join(sorted(map(plain, codes)))}. {comparison.data} {_defaults(comparison)} Accuracy is top-1 on the '
        'test split after the last epoch, in percent; the best epoch, chosen on the test split itself, has a separate '
        'column. Means have 95 % bootstrap intervals (BCa). Differences are paired by seed and tested by permutation, with '
        "Holm's correction over each table; fewer than 3 seeds are called neither better nor worse."
    )
    if short:
        text += f' {len(short)} cells have fewer seeds than the plan asks for: failed, or not done yet.'
    return Block('What was run', text)


def _defaults(comparison: Comparison) -> str:
    """A sentence on the default values of the factors."""
    default = comparison.default
    used = [name for name in FACTORS if name not in UNSAID and any(name in cell.factors for cell in comparison.cells)]
    said = [f'{SYMBOLS.get(name, name)}={written(default[name])}' for name in used if default[name] is not None]
    return f'A cell is named by what differs from {", ".join(said)}.'
