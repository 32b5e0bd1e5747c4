"""Modules of the user's own, which register classes that a file may then name."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from importlib import import_module

from icckd_mm.config.errors import describe


def add_import_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--import MODULE [MODULE ...]``, which becomes ``modules``."""
    parser.add_argument(
        '--import',
        dest='modules',
        nargs='+',
        default=[],
        metavar='MODULE',
        help='modules of yours to import first, such as my_nets; what they register may be built',
    )


def import_modules(names: Iterable[str]) -> None:
    """Import what the user names; a module that a file names is never imported.

    Args:
        names: Such as ``'my_nets'``.

    Raises:
        ValueError: If one cannot be imported.
    """
    for name in names:
        try:
            import_module(name)
        except Exception as error:  # a module is a program: anything can happen
            raise ValueError(
                f'--import {name}: {describe(error)}; name a module as Python imports it, with its folder in PYTHONPATH'
            ) from error
