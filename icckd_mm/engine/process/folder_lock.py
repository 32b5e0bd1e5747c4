"""Locks a folder, so that one process at a time works in it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from icckd_mm.regular_file import read_regular

LOCK, HELD = 'lock', 'lock.held'  # the second is used where the file system has no flock
UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL}
RANKS = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')
_descriptors: set[int] = set()  # of locks that this process holds


@contextlib.contextmanager
def folder_lock(folder: str | Path) -> Iterator[None]:
    """Lock ``folder`` against a second process; the lock ends with this process.

    ``flock`` does that. Where the file system has none, a file with host and process is the lock; it is taken over if that
    process is not alive any more on this host.

    Args:
        folder: Made if needed; removed again if nothing was put into it.

    Raises:
        ValueError: If another process works in it, or it cannot be written to.
    """
    folder = Path(folder)
    check_writable(folder)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path, descriptor = _take(folder)
    except OSError as error:
        raise ValueError(f'work_dir: cannot write to {folder}, {error.strerror}; --work-dir names another folder') from None
    owner = os.getpid()
    try:
        yield
    finally:
        if os.getpid() == owner:  # not a forked child
            path.unlink(missing_ok=True)
            _close([descriptor])
            with contextlib.suppress(OSError):
                for empty in made:
                    empty.rmdir()


def check_writable(folder: str | Path) -> None:
    """Raise ``ValueError`` unless this user may make ``folder`` or write into it."""
    path = Path(folder).expanduser().absolute()
    exists = next(parent for parent in (path, *path.parents) if parent.exists())
    if not exists.is_dir() or not os.access(exists, os.W_OK):
        reason = 'is not writable' if exists.is_dir() else 'is a file'
        raise ValueError(f'work_dir: cannot write to {folder}, since {exists} {reason}; --work-dir names another folder')


def remove_unlocked(parent: Path, prefix: str, unless: str) -> None:
    """Remove locked folders of processes that were killed; those of running processes stay.

    Args:
        parent: Where they are.
        prefix: Begins their names. Only real folders of this user in which a lock was left are removed.
        unless: A folder that holds this name stays, since its content may be the only copy.
    """
    for folder in parent.glob(f'{prefix}*'):
        ours = not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.getuid()
        if ours and any((folder / name).is_file() for name in (LOCK, HELD)) and not (folder / unless).exists():
            with contextlib.suppress(ValueError), folder_lock(folder):
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def work_dir_lock(work_dir: str | Path, launcher: str = 'none') -> Iterator[None]:
    """:func:`folder_lock` for a training; rank 0 holds the lock.

    Args:
        work_dir: Work dir of the run.
        launcher: As in the config; ``'none'`` is one process.

    Raises:
        ValueError: As :func:`folder_lock`.
    """
    ranks = (os.environ.get(name) for name in RANKS)
    if launcher != 'none' and next((rank for rank in ranks if rank is not None), '0') != '0':
        yield
        return
    with folder_lock(work_dir):
        yield


def is_alive(process: dict[str, Any]) -> bool:
    """Whether a process, as :func:`this_process` describes it, may still be running; True if it is on another host."""
    if process.get('host') != socket.gethostname():
        return True
    try:
        os.kill(process['pid'], 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return process.get('born') in (None, '', _born(process['pid']))  # else another process has this number now


def this_process() -> dict[str, Any]:
    """Number, host, birth in ticks of the system's clock, and the time of the call."""
    since = time.strftime('%Y-%m-%d %H:%M:%S')
    return {'pid': os.getpid(), 'host': socket.gethostname(), 'born': _born(os.getpid()), 'since': since}


def _born(pid: int) -> str:
    with contextlib.suppress(OSError, IndexError):  # not every system has /proc
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[19]
    return ''


def _take(folder: Path) -> tuple[Path, int]:
    path = folder / LOCK
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        _descriptors.add(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            _close([descriptor])
            if error.errno in UNSUPPORTED:
                path.unlink(missing_ok=True)
                return _take_by_name(folder / HELD)
            raise _refusal(path) from None
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, json.dumps(this_process()).encode(), 0)
                return path, descriptor
        _close([descriptor])  # its holder has removed it since


def _take_by_name(path: Path) -> tuple[Path, int]:
    for _ in range(2):
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        except FileExistsError:
            holder = _read(path)
            if not holder or is_alive(holder):
                raise _refusal(path) from None
            _remove_stale(path, holder)
        else:
            _descriptors.add(descriptor)
            os.write(descriptor, json.dumps(this_process()).encode())
            return path, descriptor
    raise _refusal(path)


def _remove_stale(path: Path, holder: dict[str, Any]) -> None:
    """Remove the lock of a dead process, but not one that another process has created since."""
    aside = path.with_name(f'{path.name}.{secrets.token_hex(4)}')
    with contextlib.suppress(FileNotFoundError):
        os.rename(path, aside)
        if _read(aside) != holder:
            os.rename(aside, path)
        aside.unlink(missing_ok=True)


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        found = json.loads(read_regular(path)[:1000].decode('utf-8', 'replace'))
        if type(found['pid']) is int and found['pid'] > 0:
            return {'pid': found['pid'], **{name: str(found[name]) for name in ('host', 'born', 'since')}}
    return {}


def _refusal(path: Path) -> ValueError:
    holder = _read(path)
    who = ': process {pid} on {host} since {since}'.format(**holder) if holder else ''
    remove = f', or delete {path} if that run is over' if path.name == HELD else ''
    return ValueError(f'another run is at work in {path.parent}{who}; wait for it, name another --work-dir{remove}')


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        _descriptors.discard(descriptor)
        with contextlib.suppress(OSError):
            os.close(descriptor)


os.register_at_fork(
    after_in_child=lambda: _close(list(_descriptors))
)  # workers that survive a killed run must not hold its lock
