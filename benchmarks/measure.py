"""How everything here is measured: cases in turns in one process, median and quartiles, and on what machine."""

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

ON_GPU = 10  # calls a measurement of a single step, so that the host runs ahead of the GPU as it does in training
PACKAGES = ('torch', 'torchvision', 'numpy', 'mmengine', 'mmpretrain', 'mmrazor', 'icckd_mm', 'pytorch-metric-learning')


@dataclass(frozen=True)
class Setting:
    """What a benchmark is asked for.

    Attributes:
        quick: Small networks and batches, two rounds: shows that it works, its times mean nothing.
        rounds: How often each case is measured; None leaves it to the benchmark.
        device: ``'cpu'`` (time of the processor, one thread) or ``'cuda'`` (time of the wall, the device synchronised).
        seconds: After so long the rounds of a table end, but for the first two; None for no end.
    """

    quick: bool = False
    rounds: int | None = None
    device: str = 'cpu'
    seconds: float | None = None

    def times(self, usual: int) -> int:
        """Rounds of a benchmark that usually does ``usual``."""
        return 2 if self.quick else self.rounds or usual


@dataclass(frozen=True)
class Case:
    """Something to measure.

    Attributes:
        run: Does it once.
        images: How many images that are, 0 where it makes no sense.
        steps: How many training steps; times are given for one.
    """

    run: Callable[[], object]
    images: int = 0
    steps: int = 1


def measure(title: str, cases: dict[str, Case], setting: Setting, rounds: int, wall: bool = False) -> dict[str, Any]:
    """Measure the cases in turns, the order changing from round to round; the first is what the others are compared with.

    Args:
        title (str): Says what and how large.
        cases (dict[str, Case]): By name.
        setting (Setting): Where and how often.
        rounds (int): Rounds where the setting leaves it open; after 20 of them a case of above 20 ms is left out.
        wall (bool): Time of the wall, for what other processes work at. Defaults to False: that of this processor.

    Returns:
        dict: A table: ``title``, ``base``, ``rows`` (``median_ms`` and ``iqr_ms`` of a step, ``ratio`` to the base with its
        ``ratio_quartiles``, of neighbours in time, ``images_per_s``) and ``targets``, empty.
    """
    cuda = setting.device != 'cpu'
    clock = time.perf_counter if wall or cuda else time.process_time
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    names, start = list(cases), time.perf_counter()
    calls = {name: ON_GPU if cuda and case.steps == 1 and not setting.quick else 1 for name, case in cases.items()}
    for index in range(setting.times(rounds) + 1):
        if index > 2 and setting.seconds is not None and time.perf_counter() - start > setting.seconds:
            break
        first = index % len(names)
        for name in (*names[first:], *names[:first]):
            if index > 20 and seconds[name][0] > 20e-3:
                continue
            if cuda:
                torch.cuda.synchronize()
            begin = clock()
            for _ in range(calls[name]):
                cases[name].run()
            if cuda:
                torch.cuda.synchronize()
            if index:  # the first round warms up
                seconds[name].append((clock() - begin) / calls[name] / cases[name].steps)
    rows = {name: _row(seconds[name], seconds[names[0]], case) for name, case in cases.items()}
    return {'title': title, 'base': names[0], 'clock': clock.__name__, 'rows': rows, 'targets': []}


def aim(table: dict[str, Any], what: str, value: float, most: float | None = None, least: float | None = None) -> None:
    """Add to a table what should be reached, and whether it was.

    Args:
        table (dict): Of :func:`measure`.
        what (str): What ``value`` is.
        value (float): As measured.
        most (float, optional): The highest value that is good. Defaults to None.
        least (float, optional): The lowest, likewise. Defaults to None.
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
    """A table as text; what was missed is said as plainly as what was reached."""
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
    """The machine, the versions and the threads behind figures."""
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
        machine['gpu_free_gib'] = round(free / 2**30, 1)  # much less than all: somebody else is at work there
        versions.update(cuda=str(torch.version.cuda), cudnn=str(torch.backends.cudnn.version()))
        machine['tf32'] = {'convolutions': torch.backends.cudnn.allow_tf32, 'products': torch.backends.cuda.matmul.allow_tf32}
    return {'machine': machine, 'versions': versions, 'threads': torch.get_num_threads(), 'device': setting.device}


def _cpu() -> str:
    path = Path('/proc/cpuinfo')
    lines = path.read_text(encoding='utf-8').splitlines() if path.is_file() else []
    return next((line.split(':', 1)[1].strip() for line in lines if line.startswith('model name')), platform.processor())
