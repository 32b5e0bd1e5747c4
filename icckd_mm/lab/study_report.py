"""``report.md`` and a self-contained ``report.html`` from the results of a plan."""

from __future__ import annotations

import html
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from matplotlib.figure import Figure

from icckd_mm.engine.atomic_backend import write_atomically
from icckd_mm.lab.plan import Plan
from icckd_mm.lab.results import Record
from icckd_mm.lab.statistics import FEWEST_SEEDS, Interval, seeds_needed, verdicts
from icckd_mm.lab.study_cells import CellResults, against, cells_of, label, last_accuracy, reference_of
from icckd_mm.lab.study_figures import cost_figure, gain_figure, ratio_figure, stability_figure, teacher_accuracy_figure
from icckd_mm.lab.style import embedded, save

REFERENCES = {'ce': 'the CE teacher', 'ce-2view': 'the two-view CE teacher (λ = 0)'}
GEOMETRY = ('intra', 'inter', 'ratio')
SMALL = 0.3  # points of accuracy for which the number of seeds is given
STYLE = """body{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;font-size:14px}
td,th{border:1px solid #999;padding:.2em .6em;text-align:right}td:first-child,th:first-child{text-align:left}
img{max-width:100%}.wide{overflow-x:auto}
@media (prefers-color-scheme:dark){body{background:#111;color:#eee}img{background:#fff}}"""


@dataclass(frozen=True)
class Block:
    """A part of the report: a heading and text, with a table or a figure.

    Attributes:
        title (str): Heading.
        text (str): What it shows.
        table (tuple[tuple[str, ...], ...]): Rows, the first of them the header.
        figure (Figure, optional): What is drawn.
        file (str): Its path beside ``report.md``, without suffix.
    """

    title: str
    text: str
    table: tuple[tuple[str, ...], ...] = ()
    figure: Figure | None = None
    file: str = ''


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
    blocks = [_head(plan, records, cells), *_comparisons(plan, cells), *_figures(cells), _accuracies(plan, cells)]
    folder = Path(folder)
    (folder / 'figures').mkdir(parents=True, exist_ok=True)
    for block in blocks:
        if block.figure is not None:
            save(block.figure, folder / block.file)
    paths = folder / 'report.md', folder / 'report.html'
    write_atomically(paths[0], markdown(plan.title, blocks).encode())
    write_atomically(paths[1], page(plan.title, blocks).encode())
    return paths


def markdown(title: str, blocks: Sequence[Block]) -> str:
    """The report as Markdown; its figures are files."""
    parts = [f'# {title}']
    for block in blocks:
        parts += [f'## {block.title}', block.text]
        if block.table:
            head, *rows = block.table
            rule = tuple('---' if column == 0 else '---:' for column in range(len(head)))
            parts.append('\n'.join(f'| {" | ".join(row)} |' for row in (head, rule, *rows)))
        if block.figure is not None:
            parts.append(f'![{block.title}]({block.file}.png)')
    return '\n\n'.join(parts) + '\n'


def page(title: str, blocks: Sequence[Block]) -> str:
    """The report as one HTML file that loads nothing."""
    parts = [f'<h1>{html.escape(title)}</h1>']
    for block in blocks:
        parts += [f'<h2>{html.escape(block.title)}</h2>', f'<p>{html.escape(block.text)}</p>']
        if block.table:
            rows = [
                '<tr>' + ''.join(f'<{cell}>{html.escape(value)}</{cell}>' for value in row) + '</tr>'
                for cell, row in zip(['th'] + ['td'] * len(block.table), block.table)
            ]
            parts.append(f'<div class="wide"><table>{"".join(rows)}</table></div>')
        if block.figure is not None:
            parts.append(f'<img alt="{html.escape(block.title)}" src="{embedded(block.figure)}">')
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{html.escape(title)}</title>'
    return f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>\n'


def _head(plan: Plan, records: Sequence[Record], cells: Sequence[CellResults]) -> Block:
    seeds = sorted({record['seed'] for record in records})
    codes = {record['code'] for record in records}
    short = [cell for cell in cells if len(cell.seeds) < len(plan.seeds)]
    text = (
        f'{len(records)} runs in {len(cells)} cells, seeds {", ".join(map(str, seeds))}; plan {plan.name}; code '
        f'{", ".join(sorted(codes))}. {_data(cells)} Accuracy is top-1 on the test split after the last epoch, in percent; '
        'the best epoch, chosen on the test split itself, stands in a column of its own. Means have 95 % bootstrap intervals '
        "(BCa). Differences are paired by seed and tested by permutation, with Holm's correction over each table; fewer than 3 "
        'seeds are called neither better nor worse.'
    )
    if short:
        text += f' {len(short)} cells have fewer seeds than the plan asks for: failed, or not done yet.'
    return Block('What was run', text)


def _comparisons(plan: Plan, cells: Sequence[CellResults]) -> list[Block]:
    blocks = []
    students = dict.fromkeys(cell.factors['student'] for cell in cells if cell.stage == 'student' and cell.teacher)
    tables = [(method, teacher) for method in students for teacher in ('ce', 'ce-2view')] + [('', 'ce')]
    for method, teacher in tables:
        treated = [cell for cell in cells if cell.factors.get('student', '') == method and cell.teacher not in ('', 'ce')]
        pairs = [(cell, reference_of(cell, cells, teacher)) for cell in treated]
        compared = [(cell, against(cell, reference)) for cell, reference in pairs if reference]
        found = [(cell, comparison) for cell, comparison in compared if comparison]
        if not found:
            continue
        rows = [('cell', 'seeds', 'difference', '95 % interval', 'd_z', 'p', 'p (Holm)', f'seeds for {SMALL}', 'verdict')]
        said = verdicts([comparison for _, comparison in found])
        for (cell, c), (p_value, verdict) in zip(found, said):
            needed = seeds_needed(c.deviation, SMALL) if c.difference.count >= FEWEST_SEEDS else None
            rows.append(
                (
                    label(cell, plan.default),
                    str(c.difference.count),
                    f'{c.difference.mean:+.2f}',
                    _bounds(c.difference, '+.2f'),
                    _number(c.effect, '+.2f'),
                    _number(c.p_value, '.4f'),
                    _number(p_value, '.4f'),
                    '–' if needed is None else str(needed),
                    verdict,
                )
            )
        of = f'{method} students of other teachers' if method else 'other teachers'
        counts = Counter(verdict for _, verdict in said)
        text = (
            f'Points of accuracy, {of} less {"those of " if method else ""}{REFERENCES[teacher]}. Of {len(said)} comparisons: '
            + ', '.join(f'{count} {verdict}' for verdict, count in sorted(counts.items()))
            + f'. "seeds for {SMALL}" is how many seeds would find a true difference of {SMALL} points with a chance of 80 % '
            'at the noise seen here, before any correction.'
        )
        whose = f'Students ({method}) against those of' if method else 'Teachers against'
        blocks.append(Block(f'{whose} {REFERENCES[teacher]}', text, tuple(rows)))
    return blocks


def _figures(cells: Sequence[CellResults]) -> list[Block]:
    over_ce = 'Bars are 95 % intervals of the differences paired by seed.'
    made = {
        'gain_loss_weight': gain_figure(cells, 'loss_weight'),
        'gain_margin': gain_figure(cells, 'margin'),
        'ratio_loss_weight': ratio_figure(cells),
        'gain_teacher_accuracy': teacher_accuracy_figure(cells),
        'stability': stability_figure(cells),
        'cost': cost_figure(cells),
    }
    words = {
        'gain_loss_weight': ('Gain against λ', f'At 0 stands the control: two views, no weight on the loss. {over_ce}'),
        'gain_margin': ('Gain against δ', f'-1 lets every image pass, 0 those classified correctly. {over_ce}'),
        'ratio_loss_weight': (
            'Intra/inter ratio against λ',
            "The quantity of the paper's theorem, on test features of the teachers; bars are 95 % intervals of the mean.",
        ),
        'gain_teacher_accuracy': ('Gain against the accuracy of the teacher', f'One mark a cell. {over_ce}'),
        'stability': (
            'Stability of training with and without the margin',
            'Left: teachers as they train. Right: how far the accuracy jumps from one validation to the next, a value a seed.',
        ),
        'cost': ('Cost', 'One thread a run, on machines that may have been busy: compare within this figure only.'),
    }
    return [
        Block(words[name][0], f'{words[name][1]} {_data(cells)}', figure=figure, file=f'figures/{name}')
        for name, figure in made.items()
        if figure is not None
    ]


def _accuracies(plan: Plan, cells: Sequence[CellResults]) -> Block:
    head = ('cell', 'stage', 'seeds', 'last epoch', '95 % interval', 'best epoch', *GEOMETRY, 'ECE', 'entropy')
    rows: list[tuple[str, ...]] = [head]
    for cell in cells:
        last = cell.interval(last_accuracy)
        measures = [{**r['geometry'], 'ece': r['ece'], 'entropy': r['entropy']} for r in cell.seeds.values()]
        rows.append(
            (
                label(cell, plan.default),
                cell.stage,
                str(last.count),
                f'{last.mean:.2f}',
                _bounds(last, '.2f'),
                f'{fmean(record["best_accuracy"] for record in cell.seeds.values()):.2f}',
                *(f'{fmean(found[key] for found in measures):.3f}' for key in (*GEOMETRY, 'ece', 'entropy')),
            )
        )
    text = (
        'Means over seeds. Geometry, calibration error (15 bins) and entropy of the predictions (nats) are of the test split.'
    )
    return Block('All cells', text, tuple(rows))


def _data(cells: Sequence[CellResults]) -> str:
    """The data of the study, to stand beside every figure."""
    used = {(cell.factors['data'], cell.factors['images']) for cell in cells}
    names = sorted(f'{data}, {"all" if images is None else images} training images' for data, images in used)
    return f'Data: {"; ".join(names)}.'


def _bounds(interval: Interval, form: str) -> str:
    return '–' if math.isnan(interval.low) else f'{interval.low:{form}} to {interval.high:{form}}'


def _number(value: float, form: str) -> str:
    return '–' if math.isnan(value) else f'{value:{form}}'
