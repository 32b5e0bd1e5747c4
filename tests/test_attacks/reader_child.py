"""Loads the files of a folder and prints how each ended: ``reader_child.py <ours or torch> <folder> <first file>``.

A file may take 5 seconds of CPU time and 200 MB of memory; the process dies at the first that takes longer.
"""

import contextlib
import ctypes
import json
import re
import resource
import signal
import sys
import warnings
from pathlib import Path

SECONDS, MEMORY = 5, 200 * 2**20
LIBC = ctypes.CDLL(None)


def ours():
    from icckd_mm.compat.safe_load import load_checkpoint_safely

    return load_checkpoint_safely


def torchs():
    """torch's own reader, with the globals of mmengine's files allowed."""
    import numpy as np
    import torch
    from mmengine.logging import HistoryBuffer

    core = np._core.multiarray
    kinds = [type(np.dtype(kind)) for kind in ('f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'S1', 'U1', '?')]
    both = [
        ((getattr(core, part)), f'{module}.multiarray.{part}')
        for module in ('numpy.core', 'numpy._core')
        for part in ('_reconstruct', 'scalar')
    ]
    torch.serialization.add_safe_globals([HistoryBuffer, (getattr, 'builtins.getattr'), np.ndarray, np.dtype, *kinds, *both])
    return lambda path: torch.load(path, map_location='cpu', weights_only=True)


def status(field):
    return int(re.search(rf'{field}:\s+(\d+)', Path('/proc/self/status').read_text()).group(1)) * 1024


def attempt(load, path):
    """``loaded``, ``refused`` or ``memory``, and the message."""
    resource.setrlimit(resource.RLIMIT_AS, (status('VmSize') + MEMORY, resource.RLIM_INFINITY))
    try:
        content = load(str(path))
        del content
        return 'loaded', ''
    except MemoryError as error:
        return 'memory', str(error)
    except Exception as error:
        text = f'{type(error).__name__}: {error}'[:300]
        full = isinstance(error.__cause__, MemoryError) or re.search('MemoryError|allocate memory', text)
        return ('memory' if full else 'refused'), text
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def main(reader, folder, first):
    warnings.simplefilter('ignore')
    load = {'ours': ours, 'torch': torchs}[reader]()
    with contextlib.suppress(Exception):
        load(str(Path(folder, 'warm')))
    for path in sorted(Path(folder).glob('[0-9]*'))[int(first) :]:
        LIBC.malloc_trim(0)
        Path('/proc/self/clear_refs').write_text('5')  # sets the peak to what is used now
        before, spent = status('VmRSS'), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        outcome, text = attempt(load, path)
        signal.setitimer(signal.ITIMER_PROF, 0)
        spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - spent
        print(json.dumps([path.name, outcome, text, round(spent, 2), (status('VmHWM') - before) >> 20]), flush=True)


if __name__ == '__main__':
    main(*sys.argv[1:])
