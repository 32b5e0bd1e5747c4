"""Handles requests to stop a command: SIGTERM, SIGUSR1 and Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the same command can resume
SAME_REQUEST = 1.0  # seconds: launchers and terminals signal a process, and then its group once more
STATUS_FILE = 'ICCKD_MM_STATUS_FILE'  # where the launch scripts read the status: torchrun and srun replace it


class Stopped(SystemExit):
    """Raised when a command stops on request.

    Args:
        signum: The signal.
        said: What happened to the work, for the user. Defaults to nothing.
    """

    def __init__(self, signum: int, said: str = '') -> None:
        super().__init__(128 + signum)
        self.signum, self.said = signum, said

    def __str__(self) -> str:
        return f'stopped by {signal.Signals(self.signum).name}' + (f' {self.said}' if self.said else '')

    def status(self, resumes: bool) -> int:
        """Exit status: 130 after Ctrl-C, 75 after another signal if the command can resume later, else 128 + the signal."""
        return TRY_AGAIN if resumes and self.signum != signal.SIGINT else 128 + self.signum


def stop_behind(error: BaseException) -> Stopped | None:
    """The request to stop that led to an error, None if there was none.

    A signal may come where other code catches everything and raises an error of its own, as mmengine does while it formats a
    config.

    Args:
        error: Any exception.
    """
    seen: set[int] = set()
    before: BaseException | None = error
    while before is not None and id(before) not in seen:
        if isinstance(before, Stopped):
            return before
        seen.add(id(before))
        before = before.__cause__ or before.__context__
    return None


class _Requests:
    """The signal this process has received, and whether it responds at once."""

    signum: int | None = None
    deferred = False


_requests = _Requests()


def asked() -> int | None:
    """The signal that asked this process to stop, None if there was none."""
    return _requests.signum


def is_deferred() -> bool:
    """Whether a signal is only recorded."""
    return _requests.deferred


def defer(deferred: bool) -> None:
    """Choose whether signals are deferred from now on.

    Args:
        deferred: True: a signal is only recorded, for :func:`asked`. False: it raises :class:`Stopped`.
    """
    _requests.deferred = deferred


@contextlib.contextmanager
def handled() -> Iterator[None]:
    """Within the block signals are requests to stop; a second one, at least a second later, ends the process at once.

    That also holds where the main thread hangs in a collective and no handler of python can run. Children that are forked
    within, such as data loader workers, leave signals to this process. Outside the main thread this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    outer, _requests.signum, _requests.deferred = vars(_requests).copy(), None, False
    receiver, sender = socket.socketpair()
    sender.setblocking(False)
    before = {signum: signal.signal(signum, _note) for signum in SIGNALS}
    wakeup = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(receiver,), daemon=True).start()
    _PARENTS.add(os.getpid())
    try:
        yield
    finally:
        _PARENTS.discard(os.getpid())
        signal.set_wakeup_fd(wakeup)
        for signum, handler in before.items():
            signal.signal(signum, handler)
        sender.close()  # ends the thread
        vars(_requests).clear()
        vars(_requests).update(outer)


def ignore_further() -> None:
    """Signals have no effect from now on: the work is saved, and the process is about to end."""
    if os.getpid() in _PARENTS:
        for signum in SIGNALS:
            signal.signal(signum, signal.SIG_IGN)


def note_status(status: int) -> None:
    """Write the exit status where the launch script reads it, if it asked for it."""
    if os.environ.get(STATUS_FILE):
        with contextlib.suppress(OSError), open(os.environ[STATUS_FILE], 'w') as file:
            file.write(str(status))


def _note(signum: int, frame: Any) -> None:
    first = _requests.signum is None
    if first:
        _requests.signum = signum
    if first and not _requests.deferred:
        raise Stopped(signum)


def _watch(receiver: socket.socket) -> None:
    """Count the requests, also while the main thread is blocked."""
    first: float | None = None
    with receiver:
        while signum := receiver.recv(1):
            if signum[0] not in SIGNALS:
                continue
            if first is None:
                first = time.monotonic()
            elif time.monotonic() - first >= SAME_REQUEST:
                os.write(2, b'stopped by a second signal: unsaved work is lost\n')
                os._exit(128 + signum[0])


_PARENTS: set[int] = set()  # this process, in a handled() block


def _after_fork() -> None:
    """A forked child ends when its parent says so; signals to the whole group are for the parent."""
    if not _PARENTS:
        return
    _PARENTS.clear()
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, 'sigwaitinfo'):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # torch sets a handler of its own later, which is not called
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when its parent asks for it, or anybody once the parent is gone."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent and os.getppid() == parent:
        pass
    os._exit(0)


os.register_at_fork(after_in_child=_after_fork)
