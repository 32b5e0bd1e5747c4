"""One runner per folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Refuse a second runner; the lock ends with the process, however that ends."""
    import fcntl

    with open(folder / 'lock', 'w') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f'another runner is at work in {folder}; wait for it, or name another --work-dir') from None
        file.write(str(os.getpid()))
        file.flush()
        yield
