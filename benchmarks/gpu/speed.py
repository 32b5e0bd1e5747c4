"""The benchmarks, in order of worth, as long as there is time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import torch

from benchmarks import device
from benchmarks.gpu.record import Item, Record, Stage
from benchmarks.measure import Setting, shown, surroundings

MODULES = ('epochs', 'data', 'packing', 'loss', 'finite_guard', 'table')  # after those of ``device``
SECONDS = 3.0  # of a table, after its first two rounds


def run(stage: Stage, record: Record) -> None:
    """Measure."""
    if stage.device == 'cpu':
        torch.set_num_threads(1)
    setting = Setting(quick=stage.quick, device=stage.device, seconds=SECONDS, until=stage.until)
    record.more.update(surroundings(setting))
    record.save()
    steps: list[tuple[str, Callable[[], Any]]] = [(name, partial(_one, part)) for name, part in device.parts(setting)]
    steps += [(name, partial(_all, name, setting)) for name in MODULES]
    for name, work in steps:
        record.run(name, partial(_measured, work), stage.until)


def _measured(work: Callable[[], list[dict[str, Any]]]) -> Item:
    tables = work()
    for table in tables:
        print(shown(table), flush=True)
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()  # the study's processes need the memory
    return {'tables': tables}


def _one(part: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    return [part()]


def _all(name: str, setting: Setting) -> list[dict[str, Any]]:
    return list(import_module(f'benchmarks.{name}').tables(setting))
