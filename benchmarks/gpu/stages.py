"""The stages and their times; runs one of them, in a process of its own."""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from pathlib import Path

from benchmarks.gpu.record import Record, Stage, described

WEIGHTS = {'correctness': 3, 'speed': 3, 'study': 6}  # in order of worth
LONGEST = 300.0  # seconds of a stage
ROOT = Path(__file__).resolve().parents[2]


def box(stages: list[str], seconds: float) -> float:
    """Seconds of the first of the stages that are left; what it does not use goes to the others.

    Args:
        stages: Names of the stages that are left.
        seconds: Time that is left.

    Example:
        >>> box(['correctness', 'speed', 'study'], 480), box(['study'], 480)
        (120.0, 300.0)
    """
    return min(LONGEST, seconds * WEIGHTS[stages[0]] / sum(WEIGHTS[name] for name in stages))


def facts(stage: Stage) -> dict[str, object]:
    """What the results of a stage belong to."""
    return {'stage': stage.name, 'device': stage.device, 'quick': stage.quick}


def path_of(stage: Stage) -> Path:
    """The file of a stage."""
    return stage.out / f'{stage.name}.json'


def run_stage(stage: Stage) -> int:
    """Run a stage in this process, which ends with the one that started it.

    Returns:
        Exit status: 1 if the stage broke off with an error.
    """
    pipe = os.dup(sys.stdin.fileno())  # pytest puts another file in its place
    threading.Thread(target=_end_with_parent, args=(pipe,), daemon=True).start()
    os.chdir(ROOT)
    record = Record(path_of(stage), facts(stage))
    record.save()
    try:
        import_module(f'benchmarks.gpu.{stage.name}').run(stage, record)
    except Exception as error:
        record.put('the stage itself', 'failed', **described(error))
        record.finish()
        return 1
    record.items.pop('the stage itself', None)
    record.finish()
    return 0


def _end_with_parent(pipe: int) -> None:
    """The pipe to the parent ends with it."""
    while os.read(pipe, 1):
        pass
    os._exit(1)
