#!/usr/bin/env python
"""Convert a checkpoint of mdistiller, RepDistiller or torchvision to one of an mmpretrain classifier."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from icckd_mm.config.command_line import run
from icckd_mm.zoo.architectures import SOURCES
from icckd_mm.zoo.import_checkpoint import import_checkpoint


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('src', help='checkpoint to read (.pth)')
    parser.add_argument('out', help='checkpoint to write')
    parser.add_argument('--arch', required=True, help='name of the network at its source, such as resnet32x4 or wrn_40_2')
    parser.add_argument('--source', default='auto', choices=['auto', *SOURCES], help='source of the checkpoint')
    parser.add_argument('--force', action='store_true', help='replace OUT if it exists')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    args = parser.parse_args(argv)
    meta = import_checkpoint(args.src, args.out, args.arch, args.source, args.force)
    print(f'{args.out}: {meta["arch"]} ({meta["source"]}), {meta["num_classes"]} classes; build it from meta["model"]')


if __name__ == '__main__':
    run(main)
