#!/usr/bin/env python
"""Make a cut of a data set: plain folders of images, a folder a class, for mmpretrain's CustomDataset."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from icckd_mm.datasets.tiny_cut import cut_tiny_imagenet
from icckd_mm.engine.command_line import run

STEP = 5000  # images between two lines of progress


def main(argv: Sequence[str] | None = None) -> None:
    """Write the cut.

    Args:
        argv (Sequence[str], optional): Command line without the name of the program. Defaults to ``sys.argv[1:]``.

    Raises:
        ValueError: If the source is incomplete or the folder for the cut is there already.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('data', choices=['tiny-imagenet'], help='which data set')
    parser.add_argument('source', help='its folder, as its archive unpacks')
    parser.add_argument('out', help='new folder, e.g. data/tiny100')
    parser.add_argument('--classes', type=int, default=100, help='the first so many by sorted wnid (default: 100)')
    parser.add_argument('--size', type=int, default=32, help='side of the images in pixels (default: 32)')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    args = parser.parse_args(argv)
    for done, total in cut_tiny_imagenet(args.source, args.out, args.classes, args.size):
        if done % STEP == 0 or done == total:
            print(f'{done} of {total} images', flush=True)
    print(f'{args.out}: {args.classes} classes, {args.size}x{args.size}')


if __name__ == '__main__':
    run(main)
