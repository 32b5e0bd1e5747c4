#!/usr/bin/env python
"""Check a published folder as a stranger would; the exit status says whether all is well."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from icckd_mm.engine.command_line import run
from icckd_mm.zoo.verify import verify


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', help='what publish.py wrote')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    checks = verify(parser.parse_args(argv).folder)
    for what, passed, detail in checks:
        print(f'{"ok    " if passed else "FAILED"} {what:22s} {detail}')
    if not all(passed for _, passed, _ in checks):
        sys.exit(1)


if __name__ == '__main__':
    run(main)
