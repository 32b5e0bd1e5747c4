#!/usr/bin/env python
"""Turn a run into a folder that anybody can use: the student (or teacher) alone, with a plain mmpretrain config."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from icckd_mm.engine.command_line import run
from icckd_mm.zoo.publish import FORMATS, publish


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('run', help='work dir or checkpoint')
    parser.add_argument('--out', required=True, help='folder to write')
    parser.add_argument('--name', help='name of the model (default: that of the config)')
    parser.add_argument('--formats', default='pth', help=f'comma-separated, of {", ".join(FORMATS)} (default: pth)')
    parser.add_argument('--ema', action='store_true', help='take the averaged weights of EMAHook')
    parser.add_argument('--force', action='store_true', help='replace the folder if it exists')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    args = parser.parse_args(argv)
    for what, _, detail in publish(args.run, args.out, args.name, args.formats.split(','), args.ema, args.force):
        print(f'{what:22s} {detail}')
    print(f'published to {args.out}')


if __name__ == '__main__':
    run(main)
