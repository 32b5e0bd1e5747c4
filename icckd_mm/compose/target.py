"""The folder that a composition is written to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from icckd_mm.engine.process.temporary_beside import temporary_beside
from icckd_mm.plain_text import plain

PREFIX, OWN = '.compose-', ('data.py', 'networks.py')
NOT_IN_CONFIGS = ("'", '"', '\\', '\n', '\r', '{{')  # mmengine writes the folder of a config into its text, unquoted


def check_target(out: str | os.PathLike[str] | None, force: bool, data: str) -> Path | None:
    """Check where the configs are to be written.

    Args:
        out: The folder; None writes nothing.
        force: Whether a folder that compose wrote is replaced.
        data: The images, which must not get configs among them.

    Returns:
        The folder.

    Raises:
        ValueError: If it cannot be used.
    """
    if out is None:
        return None
    target = Path(out).expanduser()
    shown = plain(os.fspath(target))
    if not target.name or target.name == '..':
        raise ValueError(f'out must name a new folder, got {os.fspath(out)!r}; e.g. experiments/mine')
    odd = [one for one in NOT_IN_CONFIGS if one in os.fspath(target.absolute())]
    if odd:
        raise ValueError(f'out: {plain(os.fspath(target.absolute()))} holds {odd[0]!r}, which configs cannot name; rename it')
    if (target.exists() or target.is_symlink()) and not target.is_dir():
        raise ValueError(f'{shown} is a file; name a folder')
    above = next(folder for folder in target.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        reason = 'cannot be written to' if above.is_dir() else 'is a file'
        raise ValueError(f'{shown} cannot be made: {above} {reason}; name another folder')
    if target.is_dir() and any(target.iterdir()):
        if not force:
            raise ValueError(f'{shown} exists; --force replaces it, or name another folder')
        if not is_composed(target):
            raise ValueError(f'{shown} has no {" and ".join(OWN)}, so compose did not write it; name another folder')
    images = Path(data).expanduser()
    if images.is_dir() and images.resolve() in (target.resolve(), *target.resolve().parents):
        raise ValueError(f'{shown} lies inside the images, where it would become a class; name a folder outside {plain(data)}')
    return target


def is_composed(folder: Path) -> bool:
    """Whether compose wrote a folder."""
    return all((folder / name).is_file() for name in OWN)


@contextmanager
def temporary_folder(target: Path | None) -> Iterator[Path]:
    """Where the configs are written and checked: beside the target, or anywhere if nothing is kept."""
    if target is not None:
        with temporary_beside(target, PREFIX) as folder:
            yield folder
    else:
        with tempfile.TemporaryDirectory(prefix=PREFIX) as temporary:
            yield Path(temporary)
