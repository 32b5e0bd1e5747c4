"""Runs per hour, packed against one at a time: the workers of ``tools/experiment.py`` with the same runs of the digits.

Each run is a complete run of a plan: config, data, training, validation and measures. The processes are warm. On a GPU all
packed runs share the first one; on a CPU each worker has another core, if available.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import Case, Setting, measure
from icckd_mm.lab.experiment.event_loop import work
from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import check_plan
from icckd_mm.lab.experiment.runner import Study
from icckd_mm.lab.experiment.train_run import Task
from icckd_mm.lab.experiment.workers import Workers

PACKED = 4  # on a GPU


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One table, of the CE teacher of the digits."""
    gpus = [] if setting.device == 'cpu' else os.environ.get('CUDA_VISIBLE_DEVICES', '0').split(',')[:1]
    together, epochs = (PACKED, 20) if gpus else (2, 1 if setting.quick else 10)
    plan = dict(
        name='packing',
        seeds=list(range(together)),
        default=dict(teacher='ce', student='none', images=64 if setting.quick else None, epochs=epochs),
        designs=[dict(type='star')],
        controls=[],
        options={'all': {f'{split}_dataloader.dataset.indices': 40 for split in ('val', 'test')}} if setting.quick else {},
    )
    with tempfile.TemporaryDirectory() as folder:
        study = Study(build_graph(check_plan(plan)), folder)
        tasks = [study.task(run, resume=False) for run in study.todo()]
        pools = {f'{count} at a time': Workers(count, gpus) for count in (1, together)}
        try:
            cases = {name: Case(lambda pool=pool: do(pool, tasks), steps=len(tasks)) for name, pool in pools.items()}
            table = measure(f'Packing, {len(tasks)} runs of {epochs} epochs of the digits', cases, setting, rounds=3, wall=True)
        finally:
            for pool in pools.values():
                pool.stop()
    for row in table['rows'].values():
        row['runs_per_hour'] = 3.6e6 / row['median_ms']
    table['notes'] = [f'{name}: {row["runs_per_hour"]:,.0f} runs per hour' for name, row in table['rows'].items()]
    return [table]


def do(pool: Workers, tasks: list[Task]) -> None:
    """All tasks, as many at a time as the pool has workers.

    Raises:
        RuntimeError: If one fails.
    """
    waiting = list(tasks)

    def done(task: Task, record: dict[str, Any] | None, error: str) -> None:
        if record is None:
            raise RuntimeError(f'{task.run.name} failed: {error}; see {Path(task.folder)}')

    work(pool, lambda idle: (waiting.pop(), idle[0]) if waiting else None, done)
