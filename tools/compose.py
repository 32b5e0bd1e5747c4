#!/usr/bin/env python
"""Write configs for a teacher, its students and your images; every config is run for a few batches before it counts as done."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from icckd_mm.compose.composition import Composition, compose
from icckd_mm.compose.report import inspected, next_commands
from icckd_mm.config.command_line import run


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--teacher',
        action='append',
        help='a network of the benchmark, a config, torchvision:NAME or timm:NAME; twice or more for an ensemble',
    )
    parser.add_argument('--teacher-weights', action='append', default=[], metavar='FILE', help='checkpoint it starts from')
    parser.add_argument('--student', help='a network, also')
    parser.add_argument('--data', help='cifar10, cifar100, tiny-imagenet, in1k, digits, or a folder of class folders')
    parser.add_argument('--methods', default='icc,kd', help='teacher and students, e.g. icc,kd,kd-crd (default: %(default)s)')
    parser.add_argument('--out', help='new folder for the configs, e.g. experiments/mine')
    parser.add_argument('--size', type=int, help='side of the images of a folder (default: found)')
    parser.add_argument('--held-out', type=float, default=0.1, help='held-out share where there is no val/ (default: 0.1)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the held-out share (default: 0)')
    parser.add_argument('--epochs', type=int, help='number of epochs (default: by the data)')
    parser.add_argument('--batch', type=int, help='images per step (default: by the data)')
    parser.add_argument('--lr', type=float, help='learning rate (default: by the data and the network)')
    parser.add_argument('--schedule', help='multistep or cosine (default: that of the data)')
    parser.add_argument('--inspect', action='store_true', help='print the layers of the networks and what they serve')
    parser.add_argument('--force', action='store_true', help='replace a folder that this command wrote')
    parser.add_argument('--from', dest='origin', metavar='CONFIG', help="one of mmrazor's classification configs (mmcls::)")
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Composition | None:
    """Write the configs, or print the layers of networks.

    Args:
        argv: Command line arguments; None: those of the process.

    Returns:
        What was composed; None with ``--inspect`` and ``--from``.

    Raises:
        ValueError: If an argument cannot be used; nothing is written then.
    """
    args = parse_args(argv)
    if args.origin:
        from icckd_mm.compose.origin import convert

        if not args.out:
            raise ValueError('--from needs --out FILE.py, the new config')
        path = convert(args.origin, args.out, args.force)
        print(f'{path} ran forward and backward; next:\n  python -m icckd_mm train {path}')
        return None
    given = [*(args.teacher or []), *([args.student] if args.student else [])]
    if args.inspect:
        if not given:
            raise ValueError('--inspect needs --teacher or --student')
        for name in given:
            print(inspected(name, args.data, args.size))
        return None
    missing = [f'--{name}' for name in ('teacher', 'student', 'data', 'out') if not getattr(args, name)]
    if missing:
        raise ValueError(f'{", ".join(missing)} must be given; --inspect prints the layers of networks alone')
    names = ('teacher', 'student', 'data', 'methods', 'out', 'teacher_weights', 'size', 'held_out', 'seed')
    options = {name: getattr(args, name) for name in (*names, 'epochs', 'batch', 'lr', 'schedule', 'force')}
    done = compose(**options)
    print(next_commands(done))
    return done


if __name__ == '__main__':
    run(main)
