"""How a command leaves the processes that it trained with."""

from __future__ import annotations

import gc
import os
import sys
import threading

import torch.distributed as dist

PATIENCE = 20.0  # seconds; after an error a collective may wait for a process that is gone


def leave_process_group(status: int) -> None:
    """Close the connections to the other processes before the interpreter ends.

    Threads of gloo that are alive at the exit abort the process, although its work is done. Without a group this does nothing.

    Args:
        status: Exit status of this process, should a hanging collective keep it from ending in order.
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
