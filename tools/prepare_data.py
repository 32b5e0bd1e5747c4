#!/usr/bin/env python
"""Make a cut of a data set: plain folders of images, a folder a class, for mmpretrain's CustomDataset."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from icckd_mm.config.command_line import run
from icckd_mm.datasets.files.cifar_subset import cut_cifar10
from icckd_mm.datasets.files.tiny_imagenet_subset import cut_tiny_imagenet

STEP = 5000  # images between two lines of progress


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument('source', help='folder of the data set, as its archive unpacks')
    shared.add_argument('out', help='new folder, e.g. data/tiny100')
    shared.add_argument('--debug', action='store_true', help='show the traceback of an error')
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(dest='data', metavar='DATA', required=True)
    tiny = kinds.add_parser('tiny-imagenet', parents=[shared], help='some classes of Tiny-ImageNet')
    tiny.add_argument('--classes', type=int, default=100, help='the first so many by sorted wnid (default: 100)')
    tiny.add_argument('--size', type=int, default=32, help='side of the images in pixels (default: 32)')
    cifar = kinds.add_parser('cifar10', parents=[shared], help='CIFAR-10 in image files: train, held_out and test')
    cifar.add_argument('--train', type=int, default=1000, help='first training images of a class (default: 1000)')
    cifar.add_argument('--held-out', type=int, default=500, help='last training images of a class, held out (default: 500)')
    cifar.add_argument('--size', type=int, default=16, help='side of the images in pixels (default: 16)')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the cut.

    Args:
        argv (Sequence[str], optional): Command line without the name of the program. Defaults to ``sys.argv[1:]``.

    Raises:
        ValueError: If the source is incomplete or the folder for the cut is there already.
    """
    args = parse_args(argv)
    if args.data == 'cifar10':
        steps = cut_cifar10(args.source, args.out, args.train, args.held_out, args.size)
        what = f'{args.train} + {args.held_out} training images a class'
    else:
        steps, what = cut_tiny_imagenet(args.source, args.out, args.classes, args.size), f'{args.classes} classes'
    for done, total in steps:
        if done % STEP == 0 or done == total:
            print(f'{done} of {total} images', flush=True)
    print(f'{args.out}: {what}, {args.size}x{args.size}')


if __name__ == '__main__':
    run(main)
