"""Which process works on what: the lock of a folder, which ends with its process, is the claim."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from icckd_mm.engine.process.folder_lock import folder_lock

PATIENCE = 30.0  # seconds; others need the work dir for a fraction of one


def claim(folder: Path) -> ExitStack | None:
    """The lock of a folder, None if a process holds it.

    Args:
        folder: Folder of a candidate or of a pair of runs.

    Returns:
        A stack that releases the lock.
    """
    held = ExitStack()
    try:
        held.enter_context(folder_lock(folder))
    except ValueError:
        return None
    return held


def first_holder(folders: Iterable[Path]) -> str:
    """Who works in the first of these folders that is locked, '' if none is."""
    for folder in folders:
        try:
            with folder_lock(folder):
                pass
        except ValueError as error:
            return str(error)
    return ''


@contextmanager
def work_dir_alone(folder: Path) -> Iterator[None]:
    """Lock the work dir for a moment, and wait for other processes that do the same.

    Args:
        folder: The work dir; made if needed.

    Raises:
        ValueError: If something else is at work in it, or it cannot be written to.
    """
    deadline = time.monotonic() + PATIENCE
    with ExitStack() as held:
        while True:
            try:
                held.enter_context(folder_lock(folder))
                break
            except ValueError as error:
                if not str(error).startswith('another run') or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)
        yield
