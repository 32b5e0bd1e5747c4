#!/usr/bin/env python
"""Make a subset of a data set for mmpretrain's CustomDataset: plain folders of images, one per class."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from icckd_mm.config.command_line import run
from icckd_mm.datasets.files.cifar_subset import cut_cifar10
from icckd_mm.datasets.files.tiny_imagenet_subset import cut_tiny_imagenet

STEP = 5000  # images per line of progress


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument('source', help='folder of the unpacked data set')
    shared.add_argument('out', help='new folder, e.g. data/tiny100')
    shared.add_argument('--debug', action='store_true', help='show the traceback of an error')
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(dest='data', metavar='DATA', required=True)
    tiny = kinds.add_parser('tiny-imagenet', parents=[shared], help='some classes of Tiny-ImageNet')
    tiny.add_argument('--classes', type=int, default=100, help='number of classes, the first by sorted wnid (default: 100)')
    tiny.add_argument('--size', type=int, default=32, help='side of the images in pixels (default: 32)')
    cifar = kinds.add_parser('cifar10', parents=[shared], help='CIFAR-10 from image files: train, held_out and test')
    cifar.add_argument('--train', type=int, default=1000, help='training images per class (default: 1000)')
    cifar.add_argument('--held-out', type=int, default=500, help='held-out training images per class (default: 500)')
    cifar.add_argument('--size', type=int, default=16, help='side of the images in pixels (default: 16)')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    """Write the subset.

    Args:
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.

    Raises:
        ValueError: If the source is incomplete or the output folder exists.
    """
    args = parse_args(argv)
    if args.data == 'cifar10':
        steps = cut_cifar10(args.source, args.out, args.train, args.held_out, args.size)
        what = f'{args.train} + {args.held_out} training images per class'
    else:
        steps, what = cut_tiny_imagenet(args.source, args.out, args.classes, args.size), f'{args.classes} classes'
    for done, total in steps:
        if done % STEP == 0 or done == total:
            print(f'{done} of {total} images', flush=True)
    print(f'{args.out}: {what}, {args.size}x{args.size}')


if __name__ == '__main__':
    run(main)
