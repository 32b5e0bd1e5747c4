"""Verifies published folders in a clean process, as their users would load them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from icckd_mm.config.own_modules import import_modules
from icckd_mm.plain_text import plain

from .entry_gate import refused_before_use

Check = tuple[str, Optional[bool], str]
SCRIPT, PACKAGE = Path(__file__).with_name('clean_process.py'), Path(__file__).resolve().parents[1]
# Python would import from the folder it is started in, which may be the published one: modules that lie in it are not ours.
START = "import sys; sys.path[:] = filter(None, sys.path); exec(compile(sys.stdin.read(), 'clean_process.py', 'exec'))"


def verify(
    folder: str | os.PathLike[str], metrics: bool = True, modules: Sequence[str] = (), places: Mapping[str, Any] | None = None
) -> list[Check]:
    """Hash, safe loading, mmpretrain's ``get_model``, a prediction, the other formats, and the metrics.

    Args:
        folder: A folder written by :func:`icckd_mm.zoo.publish.publish`.
        metrics: Whether to measure on the data set, where it is present. Defaults to True.
        modules: Modules of the user's own that register the network. Defaults to none.
        places: Where the data are, such as ``data_root``. Defaults to where the published config says.

    Returns:
        Name of the check, whether it passed (None if it could not be checked), and details. A failed check ends
        the list.

    Raises:
        ValueError: If the folder has no ``metafile.yml`` of one model.
    """
    return verify_all([folder], metrics, modules, places)[0]


def verify_all(
    folders: Sequence[str | os.PathLike[str]],
    metrics: bool = True,
    modules: Sequence[str] = (),
    places: Mapping[str, Any] | None = None,
) -> list[list[Check]]:
    """:func:`verify` for several folders in one process.

    Args:
        folders: The folders.
        metrics: Whether to measure on the data sets, where they are present. Defaults to True.
        modules: Modules of the user's own that register the networks. Defaults to none.
        places: Where the data are, as for :func:`verify`, the same for all folders.

    Returns:
        The checks of each folder.

    Raises:
        ValueError: If a folder has no ``metafile.yml`` of one model, or a module cannot be imported.
    """
    import_modules(modules)
    refused = {folder: check for folder in folders if (check := refused_before_use(Path(folder)))}
    if refused:
        good = [folder for folder in folders if folder not in refused]
        results = iter(verify_all(good, metrics, modules, places) if good else [])
        return [[refused[one]] if one in refused else next(results) for one in folders]
    given = [str(int(metrics)), ','.join(modules), json.dumps(dict(places or {}))]
    done = subprocess.run(
        [sys.executable, '-c', START, *given, *(os.path.abspath(folder) for folder in folders)],
        input=SCRIPT.read_text(encoding='utf-8'),
        capture_output=True,
        text=True,
        check=False,
        # The other process can import the same modules, also if this package is not installed.
        env={**os.environ, 'PYTHONPATH': os.pathsep.join(_folders(sys.path))},
    )
    if done.returncode and len(folders) > 1:  # of which one did it?
        return [verify(folder, metrics, modules, places) for folder in folders]
    if done.returncode:
        return [[('clean process', False, _reason(done))]]
    return [[tuple(check) for check in checks] for checks in json.loads(done.stdout.splitlines()[-1])]


def _reason(done: subprocess.CompletedProcess) -> str:
    """Why a process has ended early."""
    if done.returncode < 0:
        return f'{signal.Signals(-done.returncode).name} ended it; the files are damaged or forged, publish the run again'
    return (done.stderr.strip().splitlines() or [f'exit status {done.returncode}'])[-1]


def _folders(paths: Sequence[str]) -> list[str]:
    """Folders from which another process may import; not the one that a command happens to be started in."""
    return [os.path.abspath(path) for path in (*paths, str(PACKAGE.parent)) if path]


def table(checks: Sequence[Check]) -> str:
    """The checks, one per line.

    Example:
        >>> print(table([('hash', True, '0123abcd'), ('ONNX', None, 'not checked: onnxruntime is missing')]))
        ok      hash                   0123abcd
        -       ONNX                   not checked: onnxruntime is missing
    """
    words = {True: 'ok', False: 'FAILED', None: '-'}
    return '\n'.join(f'{words[passed]:7s} {what:22s} {plain(detail, 1000)}' for what, passed, detail in checks)
