"""Available GPUs, the default number of workers, and the GPU memory of a run."""

from __future__ import annotations

import gc
import os

import torch


def visible_gpus() -> list[str]:
    """Values of ``CUDA_VISIBLE_DEVICES``, one for each GPU that may be used."""
    named = os.environ.get('CUDA_VISIBLE_DEVICES')
    return named.split(',') if named and torch.cuda.is_available() else [str(i) for i in range(torch.cuda.device_count())]


def number_of_workers(wanted: int | None, gpus: int = 0) -> int:
    """Number of runs at a time: the requested one, else one per GPU, else one per core.

    Args:
        wanted: Number from the command line.
        gpus: GPUs that get one run each. Defaults to 0: their memory decides, or there are none.

    Returns:
        At least 1.

    Raises:
        ValueError: If the request is below 1 or above the number of cores.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    if wanted is not None and not 1 <= wanted <= cores:
        raise ValueError(f'--workers must be 1 to {cores}, the cores of this machine, got {wanted}')
    return wanted or min(gpus or cores, cores)


def new_peak() -> None:
    """Free unused memory and reset the peak; no effect before CUDA is used."""
    if torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> dict[str, float]:
    """``peak_memory_mib``, the peak of torch's allocator; empty before CUDA is used.

    Memory of the CUDA context and of libraries is not included.
    """
    if not torch.cuda.is_initialized():
        return {}
    return {'peak_memory_mib': round(torch.cuda.max_memory_reserved() / 2**20, 1)}
