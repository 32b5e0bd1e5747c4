"""Turn a checkpoint of mdistiller, RepDistiller or torchvision into one of an mmpretrain classifier."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from icckd_mm.zoo import import_checkpoint
from icckd_mm.zoo.architectures import SOURCES


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('src', help='checkpoint to read (.pth)')
    parser.add_argument('out', help='checkpoint to write')
    parser.add_argument('--arch', required=True, help='name of the network at its source, such as resnet32x4 or wrn_40_2')
    parser.add_argument('--source', default='auto', choices=['auto', *SOURCES], help='where the checkpoint comes from')
    parser.add_argument('--force', action='store_true', help='replace OUT if it exists')
    args = parser.parse_args(argv)
    try:
        meta = import_checkpoint(args.src, args.out, args.arch, args.source, args.force)
    except (OSError, ValueError) as error:
        raise SystemExit(f'error: {error}') from error
    print(f'{args.out}: {meta["arch"]} ({meta["source"]}), {meta["num_classes"]} classes; build it from meta["model"]')


if __name__ == '__main__':
    main()
