"""How much GPU memory a run takes. Not yet run on a GPU."""

from __future__ import annotations

import gc


def new_peak() -> None:
    """Free unused memory and reset the peak; without effect before CUDA is used."""
    import torch

    if torch.cuda.is_initialized():
        gc.collect()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> dict[str, float]:
    """``peak_memory_mib``, the most that torch's allocator has held; nothing before CUDA is used.

    What the context of the process and libraries take for themselves is not in it.
    """
    import torch

    if not torch.cuda.is_initialized():
        return {}
    return {'peak_memory_mib': round(torch.cuda.max_memory_reserved() / 2**20, 1)}
