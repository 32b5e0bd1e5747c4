"""Reads files that may be anything: a named pipe would block the reader for ever."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def read_regular(path: str | Path) -> bytes:
    """The content of a regular file.

    Args:
        path: The file, or a link to one.

    Raises:
        OSError: If it does not exist or cannot be read.
        ValueError: If it is a named pipe, a device, a socket or a folder.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, 'O_NONBLOCK', 0))  # opens a pipe without waiting for its writer
    except OSError:
        if not Path(path).exists() or Path(path).is_file():
            raise
        descriptor = -1  # a socket cannot be opened
    if descriptor < 0 or not stat.S_ISREG(os.fstat(descriptor).st_mode):
        if descriptor >= 0:
            os.close(descriptor)
        raise ValueError(f'{path} is not a regular file but a pipe, device, socket or folder; remove or rename it')
    with os.fdopen(descriptor, 'rb') as file:
        return file.read()
