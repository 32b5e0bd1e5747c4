"""Runs benchmarks, prints tables and writes them with the machine and the versions to a file.

``python benchmarks/run.py [--quick] [--rounds N] [--seconds S] [--device cpu|cuda] [--out bench.json] [NAME ...]``. Variants
are run in turns in one process, on one CPU thread or on the GPU. Compare the ratios; missed targets are reported.
Run it in the folder of the repository: ``packing`` reads its configs.
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.measure import Setting, shown, surroundings

NAMES = {
    'loss': 'loss',
    'networks': 'networks',
    'teacher': 'teacher_step',
    'student': 'student_step',
    'distillers': 'distillers',
    'data': 'data',
    'epochs': 'epochs',
    'guard': 'finite_guard',
    'device': 'device',
    'table': 'table',
    'packing': 'packing',
}


def keep_blocks() -> None:
    """Let malloc keep freed blocks, as the CUDA allocator does; otherwise page faults dominate the times."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, 'mallopt'):  # glibc
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('names', nargs='*', metavar='NAME', help=f'some of {", ".join(NAMES)}; all if none is given')
    parser.add_argument(
        '--quick', action='store_true', help='small and two rounds, to check that it works; its times are meaningless'
    )
    parser.add_argument('--rounds', type=int, help='measurements of each case (default: chosen per benchmark)')
    parser.add_argument('--seconds', type=float, help='time limit for the rounds of a table after the first two')
    parser.add_argument('--device', default='cpu', choices=['cpu', 'cuda'])
    parser.add_argument('--out', type=Path, help='write the results to this JSON file')
    args = parser.parse_args(argv)
    unknown = set(args.names) - NAMES.keys()
    if unknown:
        parser.error(f'there is no benchmark {", ".join(sorted(unknown))}; there are {", ".join(NAMES)}')
    if args.rounds is not None and args.rounds < 2:
        parser.error(f'--rounds must be at least 2 for a quartile, got {args.rounds}')
    if args.seconds is not None and not args.seconds > 0:
        parser.error(f'--seconds must be above 0, got {args.seconds}')
    if args.device == 'cuda' and not torch.cuda.is_available():
        parser.error('--device cuda: torch finds no GPU')
    setting = Setting(args.quick, args.rounds, args.device, args.seconds)
    torch.set_num_threads(1)
    begin = time.perf_counter()
    if not args.quick:
        keep_blocks()
    report = {**surroundings(setting), 'quick': args.quick, 'tables': []}
    for name in args.names or NAMES:
        for table in importlib.import_module(f'benchmarks.{NAMES[name]}').tables(setting):
            report['tables'].append({'benchmark': name, **table})
            report['seconds'] = round(time.perf_counter() - begin)
            print(shown(table, targets=not args.quick), flush=True)
            if args.out:
                args.out.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')
    missed = [target for table in report['tables'] for target in table['targets'] if not target['reached']]
    if not args.quick:
        print(f'{len(missed)} of {sum(len(table["targets"]) for table in report["tables"])} targets missed')
    return 0


if __name__ == '__main__':
    sys.exit(main())
