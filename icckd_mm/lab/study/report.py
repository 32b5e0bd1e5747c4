"""``report.md`` and a self-contained ``report.html`` from the results of a plan."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from icckd_mm.engine.atomic_backend import write_atomically
from icckd_mm.lab.experiment.plan import FACTORS, Plan
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.page import Block, markdown, page
from icckd_mm.lab.study.cells import SYMBOLS, CellResults, cells_of, written
from icckd_mm.lab.study.figures import cost_figure, gain_figure, ratio_figure, stability_figure, teacher_accuracy_figure
from icckd_mm.lab.study.grid import grids
from icckd_mm.lab.study.measures import measure_tables
from icckd_mm.lab.study.method_figure import method_figure
from icckd_mm.lab.study.tables import cell_tables, comparison_tables
from icckd_mm.lab.style import save

UNSAID = ('data', 'images', 'teacher', 'student')  # they stand elsewhere


def write_report(plan: Plan, records: Sequence[Record], folder: str | Path) -> tuple[Path, Path]:
    """Write the report of a plan.

    Args:
        plan (Plan): The plan.
        records (Sequence[Record]): Its results, in any order; not all need be there.
        folder (str | Path): Where ``report.md``, its ``figures/`` and ``report.html`` go.

    Returns:
        tuple[Path, Path]: Both files.

    Raises:
        ValueError: If there are no results, or two for one run.
    """
    if not records:
        raise ValueError(f'there are no results of {plan.name} in {folder} to report; run the plan first')
    cells = cells_of(records)
    tables = [*grids(plan, cells), *comparison_tables(plan, cells)]
    blocks = [
        _head(plan, records, cells),
        *tables,
        *_figures(plan, cells),
        *measure_tables(plan, cells),
        *cell_tables(plan, cells),
    ]
    folder = Path(folder)
    (folder / 'figures').mkdir(parents=True, exist_ok=True)
    for block in blocks:
        if block.figure is not None:
            save(block.figure, folder / block.file)
    paths = folder / 'report.md', folder / 'report.html'
    write_atomically(paths[0], markdown(plan.title, blocks).encode())
    write_atomically(paths[1], page(plan.title, blocks).encode())
    return paths


def _head(plan: Plan, records: Sequence[Record], cells: Sequence[CellResults]) -> Block:
    seeds = sorted({record['seed'] for record in records})
    codes = {record['code'] for record in records}
    short = [cell for cell in cells if len(cell.seeds) < len(plan.seeds)]
    text = (
        f'{len(records)} runs in {len(cells)} cells, seeds {", ".join(map(str, seeds))}; plan {plan.name}; code '
        f'{", ".join(sorted(codes))}. {_data(cells)} {_defaults(plan, cells)} Accuracy is top-1 on the test split after the '
        'last epoch, in percent; the best epoch, chosen on the test split itself, stands in a column of its own. Means have '
        "95 % bootstrap intervals (BCa). Differences are paired by seed and tested by permutation, with Holm's correction over "
        'each table; fewer than 3 seeds are called neither better nor worse.'
    )
    if short:
        text += f' {len(short)} cells have fewer seeds than the plan asks for: failed, or not done yet.'
    return Block('What was run', text)


def _figures(plan: Plan, cells: Sequence[CellResults]) -> list[Block]:
    over_ce = 'Bars are 95 % intervals of the differences paired by seed.'
    made = {
        'gain_method': method_figure(plan, cells),
        'gain_loss_weight': gain_figure(cells, 'loss_weight'),
        'gain_margin': gain_figure(cells, 'margin'),
        'ratio_loss_weight': ratio_figure(cells),
        'gain_teacher_accuracy': teacher_accuracy_figure(cells),
        'stability': stability_figure(cells),
        'cost': cost_figure(cells),
    }
    words = {
        'gain_method': ('Gain by teacher and student', f'Over the same student of the CE teacher. {over_ce}'),
        'gain_loss_weight': ('Gain against λ', f'At 0 stands the control: two views, no weight on the loss. {over_ce}'),
        'gain_margin': ('Gain against δ', f'-1 lets every image pass, 0 those classified correctly. {over_ce}'),
        'ratio_loss_weight': (
            'Intra/inter ratio against λ',
            "The quantity of the paper's theorem, on test features of the teachers; bars are 95 % intervals of the mean.",
        ),
        'gain_teacher_accuracy': (
            'Gain against the accuracy of the teacher',
            f'One mark a cell; the students of a teacher stand side by side. {over_ce}',
        ),
        'stability': (
            'Stability of training with and without the margin',
            'Left: teachers as they train. Right: how far the accuracy jumps from one validation to the next, a value a seed.',
        ),
        'cost': (
            'Cost',
            'One thread a run, on machines that may have been busy: compare within this figure only. What is fine-tuned '
            '(icc-ft, mcmi) comes on top of the CE teacher that it starts from.',
        ),
    }
    return [
        Block(words[name][0], f'{words[name][1]} {_data(cells)}', figure=figure, file=f'figures/{name}')
        for name, figure in made.items()
        if figure is not None
    ]


def _data(cells: Sequence[CellResults]) -> str:
    """The data of the study, to stand beside every figure."""
    used = {(cell.factors['data'], cell.factors['images']) for cell in cells}
    names = sorted(f'{data}, {"all" if images is None else images} training images' for data, images in used)
    return f'Data: {"; ".join(names)}.'


def _defaults(plan: Plan, cells: Sequence[CellResults]) -> str:
    """What holds where the name of a cell says nothing else."""
    used = [name for name in FACTORS if name not in UNSAID and any(name in cell.factors for cell in cells)]
    said = [f'{SYMBOLS.get(name, name)}={written(plan.default[name])}' for name in used if plan.default[name] is not None]
    return f'A cell is named by what differs from {", ".join(said)}.'
