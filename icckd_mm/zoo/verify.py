"""Checks of published folders in a fresh process: what a stranger would do with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from icckd_mm.plain_text import plain

from .entry_gate import refused_before_use

Check = tuple[str, Optional[bool], str]
SCRIPT = Path(__file__).with_name('stranger.py')


def verify(folder: str | os.PathLike[str], metrics: bool = True, places: Mapping[str, Any] | None = None) -> list[Check]:
    """Hash, safe loading, mmpretrain's ``get_model``, a prediction, the other formats, and the metrics.

    Args:
        folder: What :func:`icckd_mm.zoo.publish.publish` wrote.
        metrics: Whether to measure on the data set, where it is present. Defaults to True.
        places: Where the data are, such as ``data_root``. Defaults to where the published config says.

    Returns:
        Name of the check, whether it passed (None where it could not be tried), and what was seen. A check that
        fails ends the list.

    Raises:
        ValueError: If the folder has no ``metafile.yml`` of one model.
    """
    return verify_all([folder], metrics, places)[0]


def verify_all(
    folders: Sequence[str | os.PathLike[str]], metrics: bool = True, places: Mapping[str, Any] | None = None
) -> list[list[Check]]:
    """:func:`verify` for several folders in one process.

    Args:
        folders: The folders.
        metrics: Whether to measure on the data sets, where they are present. Defaults to True.
        places: As for :func:`verify`, for all folders.

    Returns:
        The checks of each folder.

    Raises:
        ValueError: If a folder has no ``metafile.yml`` of one model.
    """
    refused = {folder: check for folder in folders if (check := refused_before_use(Path(folder)))}
    if refused:
        good = [folder for folder in folders if folder not in refused]
        results = iter(verify_all(good, metrics, places) if good else [])
        return [[refused[one]] if one in refused else next(results) for one in folders]
    done = subprocess.run(
        [
            sys.executable,
            '-',
            str(int(metrics)),
            json.dumps(dict(places or {})),
            *(os.path.abspath(folder) for folder in folders),
        ],
        input=SCRIPT.read_text(encoding='utf-8'),
        capture_output=True,
        text=True,
        check=False,
        # What this process can import, that one can too, also where the package is not installed.
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(os.path.abspath(path) for path in sys.path)},
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f'exit status {done.returncode}'])[-1]
        return [[('fresh process', False, reason)] for _ in folders]
    return [[tuple(check) for check in checks] for checks in json.loads(done.stdout.splitlines()[-1])]


def table(checks: Sequence[Check]) -> str:
    """The checks, one a line.

    Example:
        >>> print(table([('hash', True, '0123abcd'), ('ONNX', None, 'not checked: onnxruntime is missing')]))
        ok      hash                   0123abcd
        -       ONNX                   not checked: onnxruntime is missing
    """
    words = {True: 'ok', False: 'FAILED', None: '-'}
    return '\n'.join(f'{words[passed]:7s} {what:22s} {plain(detail, 1000)}' for what, passed, detail in checks)
