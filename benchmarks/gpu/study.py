"""Teachers and students of many seeds side by side on one GPU, seed by seed, until the time is up."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu import images
from benchmarks.gpu.plans import choose, plan_of
from benchmarks.gpu.record import TAIL, Record, Stage, read_record
from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan import Plan
from icckd_mm.lab.experiment.results import RESULTS, read_results, write_results
from icckd_mm.lab.experiment.runner import Study
from icckd_mm.lab.experiment.train_run import LOG
from icckd_mm.lab.study.report import write_report

WORK = Path('work_dirs/gpu_quarter_hour')  # relative, since names of runs depend on the path of the images
REPORT = 20.0  # seconds for stopping the runs and writing the report
CONTEXT_MIB, RUN_MIB, MOST_RUNS = 1500, 6000, 8
STEP = 'Steps on the device, wrn40-2_wrn16-2, B=512, bfloat16'


class TimeIsUp(Exception):  # noqa: N818  # not an error
    """Ends the study."""


def run(stage: Stage, record: Record) -> None:
    """Run what fits, and write results and report."""
    work = WORK / ('quick' if stage.quick else 'full')
    if not record.items:
        shutil.rmtree(work, ignore_errors=True)  # of another call, which this one does not resume
    work.mkdir(parents=True, exist_ok=True)
    file = None
    if stage.data is not None:
        file = str(WORK / 'images.npz')
        record.more['images'] = images.decode(stage.data, Path(file))
    row = measured_step(stage.out)
    earlier = record.more.get('choice')  # the runs of an earlier call
    choice = tuple(earlier) if earlier else choose(row.get('median_ms'), stage.seconds_left)
    plan = plan_of(file, choice, stage.device, stage.quick)
    record.more.update(choice=choice, data='photographs' if file else 'digits', title=plan.title)
    record.save()
    graph = build_graph(plan)
    results, own = work / RESULTS, stage.out / RESULTS
    write_results(results, [*read_results(results), *read_results(own)])

    def say(line: str) -> None:
        print(line, flush=True)
        _publish(study, record, own)

    study = Study(graph, work, say=say)
    try:
        with _alarm(stage.seconds_left - REPORT):
            failed = study.run(_side_by_side(stage, row), resume=True)
    except TimeIsUp:
        failed = {}
        for item in study.todo():
            record.put(item.name, 'no time')
    for name in failed:
        record.put(name, 'failed', error=failed[name][:500], traceback=_tail(study.path(name) / LOG))
    _publish(study, record, own)
    record.items.pop('report', None)  # of an earlier call, with fewer results
    record.run('report', lambda: _report(plan, study, stage.out), until=float('inf') if study.records() else 0.0)


def measured_step(out: Path) -> dict[str, Any]:
    """What the speed stage found for a teacher's step with both views; empty if nothing."""
    tables = read_record(out / 'speed.json')['items'].get(STEP, {}).get('tables', [])
    return tables[0]['rows'].get('grad', {}) if tables else {}


def _side_by_side(stage: Stage, row: dict[str, Any]) -> int:
    """How many runs fit: by cores, and by free memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count() or 1
    if stage.device == 'cpu':
        return min(cores, 2) if stage.quick else cores
    free = torch.cuda.mem_get_info()[0] / 2**20
    return max(1, min(cores, MOST_RUNS, int(free / (row.get('peak_memory_mib', RUN_MIB) + CONTEXT_MIB))))


def _publish(study: Study, record: Record, own: Path) -> None:
    """Copy the results so far."""
    records = study.records()
    write_results(own, records.values())
    for name, result in records.items():
        if not record.is_done(name):
            record.put(name, 'passed', accuracy=result['last_accuracy'], seconds=result['time']['wall_s'])


def _report(plan: Plan, study: Study, out: Path) -> dict[str, Any]:
    _, page = write_report(plan, list(study.records().values()), study.folder)
    write_atomically(out / page.name, page.read_bytes())
    return {}


def _tail(log: Path) -> list[str]:
    return log.read_text(encoding='utf-8', errors='replace').splitlines()[-TAIL:] if log.is_file() else []


@contextmanager
def _alarm(seconds: float) -> Iterator[None]:
    """Raise :class:`TimeIsUp` after ``seconds``, or when asked to end."""

    def ring(*_: Any) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        raise TimeIsUp

    before = {number: signal.signal(number, ring) for number in (signal.SIGALRM, signal.SIGTERM)}
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.1))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
