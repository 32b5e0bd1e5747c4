#!/usr/bin/env python
"""Verify published folders in a clean process; the exit status is 0 if every check passes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from icckd_mm.config.command_line import run
from icckd_mm.config.own_modules import add_import_argument
from icckd_mm.zoo.verify import table, verify_all


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folders', nargs='+', metavar='folder', help='what publish.py wrote')
    parser.add_argument('--no-metrics', dest='metrics', action='store_false', help='do not measure on the data set')
    parser.add_argument('--data-root', help='where the data set is (default: where the published config says)')
    add_import_argument(parser)
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    args = parser.parse_args(argv)
    places = {'data_root': args.data_root} if args.data_root else None
    results = verify_all(args.folders, args.metrics, args.modules, places)
    for folder, checks in zip(args.folders, results):
        print(f'{folder}\n{table(checks)}' if len(args.folders) > 1 else table(checks))
    if any(passed is False for checks in results for _, passed, _ in checks):
        sys.exit(1)


if __name__ == '__main__':
    run(main)
