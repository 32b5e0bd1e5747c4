"""Leaves the process group at the end of a command."""

from __future__ import annotations

import gc
import os
import sys
import threading

import torch.distributed as dist

PATIENCE = 20.0  # seconds; after an error a collective may wait for a process that is gone


def leave_process_group(status: int) -> None:
    """Close the connections to the other processes before the interpreter ends.

    Threads of gloo that are alive at exit would abort the process. Without a group this does nothing.

    Args:
        status: Exit status of this process if a hanging collective blocks its regular end.
    """
    if not (dist.is_available() and dist.is_initialized()):
        return
    gc.collect()  # wrappers of the model hold the group, too
    closing = threading.Thread(target=dist.destroy_process_group, daemon=True)
    closing.start()
    closing.join(PATIENCE)
    if closing.is_alive():
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
