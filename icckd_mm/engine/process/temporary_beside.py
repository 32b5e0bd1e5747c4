"""A temporary folder beside the folder that it will become, and the move to its place."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Callable

from icckd_mm.engine.process.folder_lock import folder_lock, remove_unlocked

OLD = 'old'  # in a temporary folder: what was replaced


@contextmanager
def temporary_beside(out: Path, prefix: str) -> Iterator[Path]:
    """A locked temporary folder on the disk of ``out``, removed at the end; first goes what killed processes have left.

    Args:
        out: The folder to be written. Folders above it are made, and removed again if anything fails.
        prefix: Begins the name of the temporary folder. One that holds ``OLD`` stays, since it may be the only copy.
    """
    made = [folder for folder in out.absolute().parents if not folder.exists()]
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        remove_unlocked(out.parent, prefix, unless=OLD)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=prefix) as temporary, folder_lock(temporary):
            yield Path(temporary)
    except BaseException:
        for folder in made:
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        raise


def move_into_place(folder: Path, target: Path, afterwards: Callable[[], None] = lambda: None) -> None:
    """Move a finished folder out of its temporary one; what it replaces comes back if that or ``afterwards`` fails.

    Args:
        folder: The folder, directly in one of :func:`temporary_beside`.
        target: Its place.
        afterwards: What belongs to the move, such as an entry in a list. Defaults to nothing.
    """
    old = folder.with_name(OLD)
    if target.exists():
        os.replace(target, old)
    try:
        os.replace(folder, target)
        afterwards()
    except BaseException:
        if target.exists() and not folder.exists():
            os.replace(target, folder)
        if old.exists():
            os.replace(old, target)
        raise
