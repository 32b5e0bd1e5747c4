"""Writes local files completely or not at all."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import socket
from pathlib import Path
from typing import Any, Callable

from mmengine.fileio import LocalBackend, register_backend
from mmengine.logging import print_log

from icckd_mm.engine.exact.whole_checkpoint import load_whole_checkpoint
from icckd_mm.engine.process.folder_lock import is_alive

BACKEND = 'icckd_mm.atomic'
PARTIAL = '.partial'
WRITER = re.compile(rf'\.(?P<pid>[1-9]\d{{0,9}})@(?P<host>[^@/]+)\.[0-9a-f]{{8}}{re.escape(PARTIAL)}$')

OF_OLD = re.compile(rf'(.*_\d+\.pth|last_checkpoint){re.escape(PARTIAL)}')  # without a writer, by earlier versions


@register_backend(BACKEND)
class AtomicBackend(LocalBackend):
    """mmengine's ``LocalBackend`` whose ``put`` never leaves a broken file: ``backend_args=dict(backend='icckd_mm.atomic')``.

    A checkpoint is written to a temporary file, flushed to the disk, read back, and then renamed. A full disk, a kill or a
    power cut leaves the old file, and at worst a file ``*.partial``.
    """

    def put(self, obj: bytes, filepath: str | Path) -> None:
        """Write ``obj`` to ``filepath``; a ``.pth`` must be readable as a checkpoint before it replaces an older file.

        Raises:
            OSError: If the disk is full or the folder not writable; ``filepath`` is as before.
        """
        check = load_whole_checkpoint if str(filepath).endswith('.pth') else None
        write_atomically(filepath, obj, check)

    def put_text(self, obj: str, filepath: str | Path, encoding: str = 'utf-8') -> None:
        """Write text in the same way."""
        write_atomically(filepath, obj.encode(encoding))

    def rmtree(self, dir_path: str | Path) -> None:
        """Delete nothing: a checkpoint of this backend is a file, so a folder of its name is not ours."""
        print_log(f'{dir_path} is a folder, but a checkpoint file was expected; it is not deleted', 'current', logging.WARNING)


def write_atomically(path: str | Path, content: bytes, check: Callable[[Path], Any] | None = None) -> None:
    """Write ``content`` to ``path``, completely or not at all.

    Args:
        path: The file; its folder is made if needed.
        content: Its new content.
        check: Called with the path of the new file before the rename; raises if the file is not good.

    Raises:
        OSError: If it cannot be written.
        Exception: What ``check`` raises.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    own = f'{os.getpid()}@{socket.gethostname()}.{secrets.token_hex(4)}'  # no two writers share a file
    partial = path.with_name(f'{path.name}.{own}{PARTIAL}')
    try:
        with open(partial, 'wb') as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if check is not None:
            check(partial)
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise
    _flush_folder(path.parent)


def remove_stale_partials(folder: str | Path) -> None:
    """Delete partial files of killed writers in ``folder``, but not those of processes that may still be running."""
    for partial in filter(Path.is_file, Path(folder).glob(f'*{PARTIAL}')):
        writer = WRITER.search(partial.name)
        dead = writer is not None and not is_alive({'pid': int(writer['pid']), 'host': writer['host']})
        if dead or OF_OLD.fullmatch(partial.name):
            partial.unlink(missing_ok=True)


def _flush_folder(folder: Path) -> None:
    """Flush the new name to the disk before an older file is deleted; not every system supports it."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
