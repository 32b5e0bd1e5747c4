"""Measures cases in turns in one process, with median and quartiles, and describes the machine."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import torch

ON_GPU = 10  # calls per measurement of a single step, so that the host runs ahead of the GPU as in training
PACKAGES = ('torch', 'torchvision', 'numpy', 'mmengine', 'mmpretrain', 'mmrazor', 'icckd_mm', 'pytorch-metric-learning')


@dataclass(frozen=True)
class Setting:
    """Settings of a benchmark.

    Attributes:
        quick: Small networks and batches, two rounds, to check that it works; its times are meaningless.
        rounds: Number of measurements of each case; None leaves it to the benchmark.
        device: ``'cpu'`` (CPU time, one thread) or ``'cuda'`` (wall time, the device synchronised).
        seconds: Time limit for the rounds of a table after the first two; None for no limit.
        until: When work should end, by ``time.perf_counter()``; None for no limit. Benchmarks of many cases leave some out.
    """

    quick: bool = False
    rounds: int | None = None
    device: str = 'cpu'
    seconds: float | None = None
    until: float | None = None

    def is_over(self) -> bool:
        """Whether the time is up."""
        return self.until is not None and time.perf_counter() > self.until

    def times(self, usual: int) -> int:
        """Rounds of a benchmark whose default is ``usual``."""
        return 2 if self.quick else self.rounds or usual


@dataclass(frozen=True)
class Case:
    """A case to measure.

    Attributes:
        run: Runs it once.
        images: Number of images per run, 0 if not applicable.
        steps: Number of training steps per run; times are given for one.
    """

    run: Callable[[], object]
    images: int = 0
    steps: int = 1


def measure(title: str, cases: dict[str, Case], setting: Setting, rounds: int, wall: bool = False) -> dict[str, Any]:
    """Measure the cases in turns, the order changing from round to round; the first is the base of the ratios.

    Args:
        title (str): Name and size.
        cases (dict[str, Case]): By name.
        setting (Setting): Device and rounds.
        rounds (int): Default number of rounds; after 20 of them cases above 20 ms are skipped.
        wall (bool): Whether to measure wall time, for work in other processes. Defaults to False: CPU time.

    Returns:
        dict: A table: ``title``, ``base``, ``rows`` (``median_ms`` and ``iqr_ms`` of a step, ``ratio`` to the base with its
        ``ratio_quartiles``, of neighbours in time, ``images_per_s``, on a GPU ``peak_memory_mib``) and ``targets``, empty.
    """
    cuda = setting.device != 'cpu'
    clock = time.perf_counter if wall or cuda else time.process_time
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    peaks = dict.fromkeys(cases, 0.0)
    names, start = list(cases), time.perf_counter()
    calls = {name: ON_GPU if cuda and case.steps == 1 and not setting.quick else 1 for name, case in cases.items()}
    for index in range(setting.times(rounds) + 1):
        late = setting.is_over() or (setting.seconds is not None and time.perf_counter() - start > setting.seconds)
        if index > 2 and late:
            break
        first = index % len(names)
        for name in (*names[first:], *names[:first]):
            if index > 20 and seconds[name][0] > 20e-3:
                continue
            if cuda:
                torch.cuda.synchronize()
                torch.cuda.reset_peak_memory_stats()
            begin = clock()
            for _ in range(calls[name]):
                cases[name].run()
            if cuda:
                torch.cuda.synchronize()
            if index:  # the first round warms up
                seconds[name].append((clock() - begin) / calls[name] / cases[name].steps)
                peaks[name] = torch.cuda.max_memory_allocated() / 2**20 if cuda else 0.0
    rows = {name: _row(seconds[name], seconds[names[0]], case) for name, case in cases.items()}
    for name in cases if cuda else ():
        rows[name]['peak_memory_mib'] = round(peaks[name], 1)
    return {'title': title, 'base': names[0], 'clock': clock.__name__, 'rows': rows, 'targets': []}


def aim(table: dict[str, Any], what: str, value: float, most: float | None = None, least: float | None = None) -> None:
    """Add a target to a table, and whether it was met.

    Args:
        table (dict): A table of :func:`measure`.
        what (str): Name of the value.
        value (float): Measured value.
        most (float, optional): Upper limit. Defaults to None.
        least (float, optional): Lower limit. Defaults to None.
    """
    reached = (most is None or value <= most) and (least is None or value >= least)
    limit = f'at most {most:,g}' if most is not None else f'at least {least:,g}'
    table['targets'].append({'what': what, 'value': value, 'limit': limit, 'reached': reached})


def _row(seconds: Sequence[float], base: Sequence[float], case: Case) -> dict[str, Any]:
    low, middle, high = statistics.quantiles(seconds, n=4)
    ratios = statistics.quantiles([own / other for own, other in zip(seconds, base)], n=4)
    row = {
        'median_ms': 1e3 * middle,
        'iqr_ms': 1e3 * (high - low),
        'ratio': ratios[1],
        'ratio_quartiles': [ratios[0], ratios[2]],
    }
    if case.images:
        row['images_per_s'] = case.images / case.steps / middle
    return {**row, 'rounds': len(seconds)}


def shown(table: dict[str, Any], targets: bool = True) -> str:
    """A table as text, with targets met and missed."""
    lines = [f'{table["title"]} (ratios to {table["base"]})']
    for name, row in table['rows'].items():
        low, high = row['ratio_quartiles']
        rate = f'{row["images_per_s"]:12,.0f} images/s' if 'images_per_s' in row else ''
        lines.append(
            f'  {name:36s} {row["median_ms"]:10.3f} ms  IQR {row["iqr_ms"]:9.3f}  {row["ratio"]:8.3f} x '
            f'({low:.3f} to {high:.3f}){rate}'
        )
    lines += [f'  {note}' for note in table.get('notes', [])]
    for target in table['targets'] if targets else []:
        outcome = 'reached' if target['reached'] else 'MISSED'
        lines.append(f'  {outcome}: {target["what"]} {target["value"]:,.4g}, wanted {target["limit"]}')
    return '\n'.join(lines)


def surroundings(setting: Setting) -> dict[str, Any]:
    """The machine, the versions and the threads of a measurement."""
    versions = {'python': platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = 'not installed'
    machine: dict[str, Any] = {'cpu': _cpu(), 'cores': os.cpu_count(), 'system': platform.platform()}
    if hasattr(os, 'sysconf'):
        machine['memory_gib'] = round(os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30, 1)
    if hasattr(os, 'getloadavg'):
        machine['load'] = os.getloadavg()[0]  # of the last minute, before the first case: above 0.5 the machine was busy
    if setting.device != 'cpu':
        free, total = torch.cuda.mem_get_info()
        machine.update(gpu=torch.cuda.get_device_name(), gpu_memory_gib=round(total / 2**30, 1))
        machine['gpu_free_gib'] = round(free / 2**30, 1)  # much less than all: another process uses it
        versions.update(cuda=str(torch.version.cuda), cudnn=str(torch.backends.cudnn.version()))
        machine['tf32'] = {'convolutions': torch.backends.cudnn.allow_tf32, 'products': torch.backends.cuda.matmul.allow_tf32}
    return {'machine': machine, 'versions': versions, 'threads': torch.get_num_threads(), 'device': setting.device}


def _cpu() -> str:
    path = Path('/proc/cpuinfo')
    lines = path.read_text(encoding='utf-8').splitlines() if path.is_file() else []
    return next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.processor())
