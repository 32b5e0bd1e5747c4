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
from icckd_mm.lab.experiment.devices import new_peak

EARLY, LATE = ('data', 'packing'), ('epochs', 'loss', 'finite_guard', 'table')  # the last ones take minutes
FIRST = 5  # tables of ``device``: the product, and both pairs and batches in bfloat16
SECONDS = 3.0  # of a table, after its first two rounds


def run(stage: Stage, record: Record) -> None:
    """Measure."""
    if stage.device == 'cpu':
        torch.set_num_threads(1)
    setting = Setting(quick=stage.quick, device=stage.device, seconds=SECONDS, until=stage.until)
    record.more.update(surroundings(setting))
    record.save()
    parts: list[tuple[str, Callable[[], Any]]] = [(name, partial(_one, part)) for name, part in device.parts(setting)]
    modules = {name: partial(_all, name, setting) for name in (*EARLY, *LATE)}
    first = parts[:FIRST]
    steps = [*first, *((name, modules[name]) for name in EARLY), *parts[FIRST:], *((name, modules[name]) for name in LATE)]
    for name, work in steps:
        record.run(name, partial(_measured, work), stage.until)


def _measured(work: Callable[[], list[dict[str, Any]]]) -> Item:
    try:
        tables = work()
    finally:
        new_peak()  # runners hold memory in cycles; the next table needs it
    for table in tables:
        print(shown(table), flush=True)
    return {'tables': tables}


def _one(part: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    return [part()]


def _all(name: str, setting: Setting) -> list[dict[str, Any]]:
    return list(import_module(f'benchmarks.{name}').tables(setting))
