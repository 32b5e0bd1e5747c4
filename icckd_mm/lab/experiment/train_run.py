"""Trains one run of a plan like ``tools/train.py``, and measures it."""

from __future__ import annotations

import json
import platform
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.engine.process.folder_lock import folder_lock
from icckd_mm.engine.runner_utils import unwrapped
from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.devices import new_peak, peak_memory
from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.results import Record
from icckd_mm.lab.measures.accuracy import accuracy

RESULT, LOG, CONFIG = 'result.json', 'log.txt', 'config.py'


@dataclass(frozen=True)
class Task:
    """A run with all that a worker needs; small, as it is sent to another process.

    Attributes:
        run: The run.
        folder: Folder for its checkpoints, log and result.
        parent_checkpoint: Last checkpoint of the parent.
        resume: Whether to resume from the newest checkpoint in ``folder``; else it starts from scratch.
        code: :func:`icckd_mm.lab.experiment.code_version.code_version` when the graph was built.
    """

    run: Run
    folder: str
    parent_checkpoint: str | None
    resume: bool
    code: str


def command(task: Task) -> str:
    """The equivalent command; options that cannot be passed on the command line are in a config in the run's folder."""
    run = task.run
    config, options = run.recipe.config, run.options_with(task.parent_checkpoint)
    if not all(map(_fits_a_line, run.recipe.options.values())):
        config, options = f'{task.folder}/{CONFIG}', {run.recipe.parent_key: task.parent_checkpoint} if run.parent else {}
    words = ['python -m icckd_mm train', config, f'--work-dir {task.folder}/train --seed {run.seed}']
    words += ['--device-loader'] if run.device_loader else []
    words += ['--cfg-options'] if options else []
    return ' '.join([*words, *(f'"{key}={_written(value)}"' for key, value in options.items())])


def train_run(task: Task) -> Record:
    """Train and measure; also writes the record to ``result.json`` in the folder of the run.

    Args:
        task: The task.

    Returns:
        Its line of ``results.jsonl``.

    Raises:
        RuntimeError: If the package has changed since the graph was built.
        Exception: Any error of the training.
    """
    if code_version() != task.code:
        raise RuntimeError(f'the code was {task.code} when the plan began and is {code_version()} now; start the plan again')
    with folder_lock(task.folder):
        return _train_and_measure(task, Path(task.folder))


def _train_and_measure(task: Task, folder: Path) -> Record:
    if not task.resume:
        shutil.rmtree(folder / 'train', ignore_errors=True)
    write_atomically(folder / 'command.txt', (command(task) + '\n').encode())
    new_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    runner, resumed = _train(task, folder)
    passed = {'wall_s': time.perf_counter() - wall, 'cpu_s': time.process_time() - cpu}
    record = {**_facts(task), **accuracy(runner, task.run.recipe.stage), **_measures(runner)}
    record['time'] = {**{key: round(value, 2) for key, value in passed.items()}, 'resumed': resumed}
    record['machine'] = {**machine(), **peak_memory()}
    write_atomically(folder / RESULT, json.dumps(record, ensure_ascii=False, allow_nan=False).encode())
    if task.run.recipe.stage == 'student':
        shutil.rmtree(folder / 'train')  # no run starts from it
    return record


def last_checkpoint(folder: str | Path, run: Run) -> Path:
    """The last checkpoint of a finished run."""
    return Path(folder) / 'train' / f'epoch_{run.epochs}.pth'


def machine() -> dict[str, Any]:
    """Versions and machine, on which the results of a run may also depend."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or platform.machine()
    return {'device': device, 'torch': torch.__version__, 'python': platform.python_version()}


def _train(task: Task, folder: Path) -> tuple[Any, bool]:
    """The runner after training, and whether it was resumed."""
    from mmengine.config import Config

    from icckd_mm.config.launch import NEWEST, train  # heavy
    from icckd_mm.config.options import apply_options

    run, options = task.run, task.run.options_with(task.parent_checkpoint)
    cfg = Config.fromfile(run.recipe.config)
    cfg.work_dir, cfg.launcher = str(folder / 'train'), 'none'
    cfg.randomness = {**cfg.get('randomness', {}), 'seed': run.seed}
    if not all(map(_fits_a_line, run.recipe.options.values())):
        apply_options(cfg, options)
        cfg.dump(folder / CONFIG)
        options = {}
    cfg.experiment_name = f'{run.name}_{time.time_ns()}'  # mmengine would share the log history between equal names
    runner = train(cfg, options, resume=NEWEST, device_loader=run.device_loader, tested=True)
    return runner, bool(cfg.resume)


def _facts(task: Task) -> Record:
    run = task.run
    return {
        'run': run.name,
        'stage': run.recipe.stage,
        'seed': run.seed,
        'factors': run.recipe.factors,
        'config': run.recipe.config,
        'options': run.recipe.options,
        'parent': run.parent,
        'code': task.code,
        'epochs': run.epochs,
    }


def _measures(runner: Any) -> Record:
    from icckd_mm.lab.measures.measure import measure

    model = unwrapped(runner)
    classifier = model
    if hasattr(model, 'architecture'):  # a distillation: the student, with the preprocessor that it was trained with
        classifier = model.architecture
        classifier.data_preprocessor = model.data_preprocessor
    tested = runner.test_loop or runner.val_loop  # a tuning has no test set
    return measure(classifier, tested.dataloader, runner.train_loop.dataloader.dataset)


def _fits_a_line(value: Any) -> bool:
    """Whether ``--cfg-options`` can express a value: not a dict, and not a list with one."""
    return not any(isinstance(one, dict) for one in (value if isinstance(value, (list, tuple)) else [value]))


def _written(value: Any) -> str:
    return '[' + ','.join(map(str, value)) + ']' if isinstance(value, (list, tuple)) else str(value)
