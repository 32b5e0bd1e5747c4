#!/usr/bin/env python
"""List the configs: data set, teacher, student, method, and the published top-1 accuracy of each."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from icckd_mm.config.command_line import run
from icckd_mm.packaged import PREFIX
from icckd_mm.zoo.published import published_top1

CONFIGS = Path(__file__).resolve().parents[1] / 'configs/icckd'


class Entry(NamedTuple):
    """A line of the table; ``'-'`` where a column does not apply."""

    data: str
    teacher: str
    student: str
    method: str
    published: str
    config: str


def read_names(paths: Sequence[Path]) -> list[Entry]:
    """Parse the name of a config: ``<method>[_<where>]_<network>[_<student>]_<gpus>xb<batch>_<data>``."""
    entries = []
    distilled = [path.stem.split('_') for path in paths if path.parent.name == 'distill']
    teachers = {(parts[-1], parts[2]) for parts in distilled if len(parts) == 6}
    for path in paths:
        *parts, _, data = path.stem.split('_')
        if path.parent.name == 'distill':
            method, _, *nets = parts
            teacher, student = nets if len(nets) == 2 else ('', nets[0])  # self-distillation has no teacher
        else:
            method, net = parts
            teacher, student = (net, '') if (data, net) in teachers else ('', net)
        figure = published_top1(data, method, teacher, student)
        published = '-' if figure is None else f'{figure:.2f}'
        name = path.relative_to(CONFIGS.parent).as_posix()
        config = f'configs/{name}' if Path('configs', name).is_file() else f'{PREFIX}{name}'  # by name outside the repository
        entries.append(Entry(data, teacher or '-', student or '-', method, published, config))
    return entries


def main(argv: Sequence[str] | None = None) -> list[Entry]:
    """Print the configs that pass the filters.

    Args:
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.

    Returns:
        list[Entry]: The printed configs.

    Raises:
        ValueError: If a filter matches no config.
    """
    entries = sorted(read_names(list(CONFIGS.glob('*/*.py'))))
    values = {
        'data': sorted({one.data for one in entries}),
        'method': sorted({one.method for one in entries}),
        'net': sorted({net for one in entries for net in (one.teacher, one.student)} - {'-'}),
    }
    parser = argparse.ArgumentParser(description=__doc__)
    for name, known in values.items():
        parser.add_argument(f'--{name}', nargs='+', default=[], help=f'only these: {", ".join(known)}')
    parser.add_argument('--pair', nargs=2, metavar=('TEACHER', 'STUDENT'), help='only students of this network from that one')
    args = parser.parse_args(argv)
    if args.pair and tuple(args.pair) not in {(one.teacher, one.student) for one in entries}:
        pairs = sorted({f'{one.teacher} {one.student}' for one in entries if '-' not in (one.teacher, one.student)})
        raise ValueError(f'--pair {" ".join(args.pair)}: no config has it; there are {", ".join(pairs)}')
    for name, known in values.items():
        for value in getattr(args, name):
            if value not in known:
                raise ValueError(f'--{name} {value}: no config has it; there are {", ".join(known)}')
    shown = [
        one
        for one in entries
        if (not args.data or one.data in args.data)
        and (not args.method or one.method in args.method)
        and (not args.net or {one.teacher, one.student} & set(args.net))
        and (not args.pair or [one.teacher, one.student] == args.pair)
    ]
    rows = [('data', 'teacher', 'student', 'method', 'published', 'config'), *shown]
    widths = [max(len(row[column]) for row in rows) for column in range(len(Entry._fields))]
    for row in rows:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
    return shown


if __name__ == '__main__':
    run(main)
