#!/usr/bin/env python
"""Publish the student (or teacher) of a run as a folder with a plain mmpretrain config."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from icckd_mm.config.command_line import run
from icckd_mm.config.own_modules import add_import_argument
from icckd_mm.zoo.index import chosen_index
from icckd_mm.zoo.publish import FORMATS, publish
from icckd_mm.zoo.verify import table


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('run', help='work dir or checkpoint')
    parser.add_argument('--out', required=True, help='folder to write')
    parser.add_argument('--name', help='name of the model (default: that of the config)')
    parser.add_argument('--formats', default='pth', help=f'comma-separated, some of {", ".join(FORMATS)} (default: pth)')
    parser.add_argument('--with-preprocess', action='store_true', help='put mean, std and colour order into the ONNX graph')
    parser.add_argument('--ema', action='store_true', help='publish the averaged weights of EMAHook')
    parser.add_argument('--allow-unfinished', action='store_true', help='accept a checkpoint from before the end of training')
    parser.add_argument('--no-metrics', dest='metrics', action='store_false', help='do not measure on the data set')
    where = parser.add_mutually_exclusive_group()
    where.add_argument('--index', help='model index to add the entry to (default: the nearest model-index.yml above it)')
    where.add_argument('--no-index', dest='list_it', action='store_false', help='do not add the entry to a model index')
    parser.add_argument('--force', action='store_true', help='replace the entry if it exists')
    add_import_argument(parser)
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    options = vars(parser.parse_args(argv))
    options.pop('debug')
    out = options['out']
    options['formats'] = [form.strip() for form in options['formats'].split(',')]
    checks = publish(options.pop('run'), options.pop('out'), **options, say=lambda what: print(f'{what} ...', flush=True))
    print(table(checks))
    index = chosen_index(Path(out), options['index'], options['list_it'])
    refused = any(passed is False for _, passed, _ in checks)
    print(f'published to {out}{" without ONNX" if refused else ""}' + (f', listed in {index}' if index else ''))
    if refused:
        sys.exit(1)


if __name__ == '__main__':
    run(main)
