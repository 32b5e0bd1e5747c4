"""Assigns runs to GPUs by free memory. Tested with given numbers, and used on one H200."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence

from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.results import Record

RESERVE = 1024.0  # MiB per run in addition to its allocator: the CUDA context of its process, and libraries
ASK = 'import torch; print(*(torch.cuda.mem_get_info(gpu)[0] for gpu in range(torch.cuda.device_count())))'


def kind(stage: str, config: str, factors: Mapping[str, object]) -> tuple[str, ...]:
    """What runs of similar memory have in common: networks and method, from the config, and the second view."""
    return stage, config, str(factors.get('second_view'))


def kind_of(run: Run) -> tuple[str, ...]:
    """:func:`kind` of a run."""
    return kind(run.recipe.stage, run.recipe.config, run.recipe.factors)


def largest_peaks(records: Iterable[Record]) -> dict[tuple[str, ...], float]:
    """The largest peak memory of each kind, in MiB; without kinds that have not run on a GPU."""
    peaks: dict[tuple[str, ...], float] = {}
    for record in records:
        peak = record['machine'].get('peak_memory_mib')
        if peak is not None:
            name = kind(record['stage'], record['config'], record['factors'])
            peaks[name] = max(peak, peaks.get(name, 0.0))
    return peaks


def choose_gpu(need: float | None, free: Mapping[str, float], running: Mapping[str, Sequence[float | None]]) -> str | None:
    """The GPU with the most free memory among those with enough for a run.

    An idle GPU takes any run, because otherwise it could never begin. A run of unknown need gets a GPU of its own.

    Args:
        need: Peak memory of the run in MiB; None if unknown.
        free: GPUs to choose from, and their free MiB before the first run of the plan.
        running: Needs of the runs on each GPU; their memory counts in full from the
            start, before it is allocated.

    Returns:
        A GPU; None if the run must wait.

    Example:
        >>> choose_gpu(3000, {'0': 10000, '1': 8000}, {'0': [6000], '1': [2000]})
        '1'
    """
    left = {}
    for gpu, memory in free.items():
        needs = [*running.get(gpu, ()), need]
        after = memory - sum(RESERVE + one for one in needs if one is not None)
        if len(needs) == 1 or (None not in needs and after >= 0):
            left[gpu] = after
    return max(left, key=left.__getitem__) if left else None


def free_memory(gpus: Sequence[str]) -> dict[str, float]:
    """Free MiB of each GPU, queried in a separate process, since CUDA in this one would use memory on all of them.

    Args:
        gpus: Values of ``CUDA_VISIBLE_DEVICES``.

    Returns:
        Free MiB by GPU.

    Raises:
        ValueError: If the query fails.
    """
    environment = {**os.environ, 'CUDA_VISIBLE_DEVICES': ','.join(gpus)}
    done = subprocess.run([sys.executable, '-c', ASK], env=environment, capture_output=True, text=True, check=False)
    free = done.stdout.split()
    if done.returncode or len(free) != len(gpus):
        reason = (done.stderr.strip().splitlines() or ['they do not exist'])[-1]
        raise ValueError(
            f'GPUs {", ".join(gpus)} do not report their free memory: {reason}; use --workers {len(gpus)} for one run on each'
        )
    return {gpu: int(value) / 2**20 for gpu, value in zip(gpus, free)}


class GpuSlots:
    """The GPUs of a plan and the runs on them; without GPUs a single entry ``''`` that takes all runs.

    Args:
        gpus: Values of ``CUDA_VISIBLE_DEVICES``, or none.
        workers: Number of runs at a time; if not more than GPUs, their memory is not checked.
        records: Finished runs, from which the need of their kind is known.
        assumed: Peak memory in MiB of kinds that are not known. Defaults to None: their first run is alone on a GPU.

    Raises:
        ValueError: If the free memory cannot be queried.
    """

    def __init__(self, gpus: Sequence[str], workers: int, records: Iterable[Record], assumed: float | None = None) -> None:
        self.free = free_memory(gpus) if gpus and workers > len(gpus) else dict.fromkeys(gpus or [''], math.inf)
        self.peaks = largest_peaks(records) if gpus else {}
        self.on_gpus, self.assumed = bool(gpus), assumed
        self.running: dict[str, list[Run]] = {gpu: [] for gpu in self.free}

    def enter(self, run: Run, idle: Iterable[str]) -> str | None:
        """Reserve one of the GPUs ``idle`` for ``run``; None if it must wait."""
        needs = {gpu: [self._need(other) for other in runs] for gpu, runs in self.running.items()}
        gpu = choose_gpu(self._need(run), {gpu: self.free[gpu] for gpu in idle}, needs)
        if gpu is not None:
            self.running[gpu].append(run)
        return gpu

    def leave(self, run: Run, record: Record | None) -> None:
        """Release the GPU of ``run`` and update its kind's need from its record."""
        for runs in self.running.values():
            runs[:] = [other for other in runs if other.name != run.name]
        for name, peak in largest_peaks([record] if record else []).items():
            self.peaks[name] = max(peak, self.peaks.get(name, 0.0))

    def _need(self, run: Run) -> float | None:
        return self.peaks.get(kind_of(run), self.assumed) if self.on_gpus else 0.0
