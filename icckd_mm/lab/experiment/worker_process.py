"""The main function of a worker process, which does runs one after another."""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import os
import signal
import sys
import threading
import traceback
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from icckd_mm.engine.process import interruption
from icckd_mm.lab.experiment.devices import new_peak
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.experiment.train_run import LOG, Task, train_run


def serve(pipe: Connection) -> None:
    """Do tasks until the pipe or the parent process ends."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with interruption.handled(), contextlib.suppress(EOFError, OSError):
        for signum in (signal.SIGINT, signal.SIGUSR1):  # the parent gets them too and sends SIGTERM
            signal.signal(signum, signal.SIG_IGN)
        while True:
            task = pipe.recv()
            pipe.send(_attempt(task))


def _attempt(task: Task) -> tuple[Record | None, str]:
    """Run one task, with its output in its own log."""
    log = Path(task.folder, LOG)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, 'ab') as file:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        _prepare()
        return train_run(task), ''
    except interruption.Stopped as stopped:
        print(stopped)
        raise
    except Exception as error:
        from icckd_mm.config.errors import describe

        request = interruption.stop_behind(error)
        if request is not None:
            print(request)
            raise request from None
        traceback.print_exc()
        return None, describe(error)
    finally:
        interruption.defer(False)
        new_peak()  # other runs may need the memory
        sys.stdout.flush()
        sys.stderr.flush()


def _prepare() -> None:
    """One thread per run."""
    import cv2
    import torch

    torch.set_num_threads(1)
    cv2.setNumThreads(0)


def _end_with_parent() -> None:
    """End when the parent is gone: a killed runner cannot stop its workers, and the next one must not find them."""
    parent: Any = mp.parent_process()
    wait([parent.sentinel])
    os._exit(1)
