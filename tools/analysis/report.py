#!/usr/bin/env python
"""Analyse runs: curves, feature spaces, soft labels, student against teacher, calibration; as one page or PNG and PDF."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from icckd_mm.config.command_line import run
from icckd_mm.config.own_modules import add_import_argument, import_modules
from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.functional.tensor.number_checks import check_positive
from icckd_mm.lab.analysis.figures import FIGURES, drawn
from icckd_mm.lab.analysis.report import report
from icckd_mm.lab.analysis.run import named_runs
from icckd_mm.lab.style import save


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('runs', nargs='+', metavar='RUN', help='work dir (its last checkpoint) or checkpoint')
    parser.add_argument('--out', type=Path, help='HTML page to write; it can be opened offline')
    parser.add_argument('--figures', type=Path, metavar='DIR', help='folder for each figure as PNG and PDF')
    parser.add_argument(
        '--teacher', type=Path, metavar='FILE', help="the students' teacher (default: found if it is one of the runs)"
    )
    parser.add_argument('--only', nargs='+', choices=FIGURES, default=list(FIGURES), help='figures to draw (default: all)')
    parser.add_argument('--temperature', type=float, default=4.0, help='temperature of the soft labels (default: 4)')
    add_import_argument(parser)
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    args = parser.parse_args(argv)
    if args.out is None and args.figures is None:
        parser.error('give --out report.html, --figures DIR or both')
    if args.out is not None and args.out.is_dir():
        parser.error(f'--out {args.out} is a folder; name a file, such as {args.out / "report.html"}')
    if args.figures is not None and args.figures.exists() and not args.figures.is_dir():
        parser.error(f'--figures {args.figures} is a file; name a folder')
    check_positive('temperature', args.temperature)
    if args.teacher is not None and not args.teacher.is_file():
        parser.error(f'--teacher {args.teacher} does not exist; name a checkpoint')
    import_modules(args.modules)
    runs = named_runs(args.runs, args.teacher)
    figures = list(drawn(runs, args.only, args.temperature))
    if args.figures is not None:
        args.figures.mkdir(parents=True, exist_ok=True)
        for name, _, figure in figures:
            print(*(save(figure, args.figures / name) if figure else [f'{name}: nothing to draw']), sep='\n')
    if args.out is not None:
        page = report(runs, figures, args.temperature)
        write_atomically(args.out, page.encode())
        print(args.out)


if __name__ == '__main__':
    run(main)
