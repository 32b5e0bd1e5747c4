"""One run of a plan, trained as ``tools/train.py`` trains, and measured."""

from __future__ import annotations

import json
import platform
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icckd_mm.engine.atomic_backend import write_atomically
from icckd_mm.engine.unwrap import unwrapped
from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.peak_memory import new_peak, peak_memory
from icckd_mm.lab.experiment.results import Record

RESULT, LOG, CONFIG = 'result.json', 'log.txt', 'config.py'


@dataclass(frozen=True)
class Task:
    """A run with what is needed to do it; small, so that it travels to a worker.

    Attributes:
        run (Run): The run.
        folder (str): Where its checkpoints, log and result go.
        parent_checkpoint (str, optional): Last checkpoint of the parent.
        resume (bool): Whether to go on from the newest checkpoint in ``folder``; else it begins anew.
        code (str): :func:`icckd_mm.lab.experiment.code_version.code_version` when the graph was built.
    """

    run: Run
    folder: str
    parent_checkpoint: str | None
    resume: bool
    code: str


def command(task: Task) -> str:
    """The command that does the same by hand; options that no command line can give are in a config beside the run."""
    run = task.run
    config, options = run.recipe.config, run.options_with(task.parent_checkpoint)
    if not all(map(_fits_a_line, run.recipe.options.values())):
        config, options = f'{task.folder}/{CONFIG}', {run.recipe.parent_key: task.parent_checkpoint} if run.parent else {}
    words = ['python tools/train.py', config, f'--work-dir {task.folder}/train --seed {run.seed}']
    words += ['--device-loader'] if run.device_loader else []
    words += ['--cfg-options'] if options else []
    return ' '.join([*words, *(f'"{key}={_written(value)}"' for key, value in options.items())])


def train_run(task: Task) -> Record:
    """Train and measure; the record is written to ``result.json`` in the folder of the run, too.

    Args:
        task (Task): What to do.

    Returns:
        Record: Its line of ``results.jsonl``.

    Raises:
        RuntimeError: If the package has changed since the graph was built.
        Exception: Whatever training raises.
    """
    if code_version() != task.code:
        raise RuntimeError(f'the code was {task.code} when the plan began and is {code_version()} now; call the plan anew')
    folder = Path(task.folder)
    if not task.resume:
        shutil.rmtree(folder / 'train', ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / 'command.txt', (command(task) + '\n').encode())
    new_peak()
    wall, cpu = time.perf_counter(), time.process_time()
    runner, resumed = _train(task, folder)
    passed = {'wall_s': time.perf_counter() - wall, 'cpu_s': time.process_time() - cpu}
    record = {**_facts(task), **_accuracy(runner, task.run.recipe.stage), **_measures(runner)}
    record['time'] = {**{key: round(value, 2) for key, value in passed.items()}, 'resumed': resumed}
    record['machine'] = {**machine(), **peak_memory()}
    write_atomically(folder / RESULT, json.dumps(record, ensure_ascii=False, allow_nan=False).encode())
    if task.run.recipe.stage == 'student':
        shutil.rmtree(folder / 'train')  # nobody starts from it
    return record


def last_checkpoint(folder: str | Path, run: Run) -> Path:
    """Where a finished run has left its weights."""
    return Path(folder) / 'train' / f'epoch_{run.epochs}.pth'


def machine() -> dict[str, Any]:
    """What the figures of a run may depend on beside plan, seed and code."""
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else platform.processor() or platform.machine()
    return {'device': device, 'torch': torch.__version__, 'python': platform.python_version()}


def _train(task: Task, folder: Path) -> tuple[Any, bool]:
    from mmengine.config import Config

    from icckd_mm.datasets.device_config import use_device_loader
    from icckd_mm.engine.checkpoint_search import newest_checkpoint
    from icckd_mm.engine.command_line import LOADERS, build_runner, check_files, set_loader_defaults
    from icckd_mm.engine.config_keys import apply_options

    run = task.run
    cfg = Config.fromfile(run.recipe.config)
    cfg.work_dir, cfg.launcher = str(folder / 'train'), 'none'
    cfg.randomness = {**cfg.get('randomness', {}), 'seed': run.seed}
    set_loader_defaults(cfg, LOADERS, pin_memory=True, persistent_workers=True)
    apply_options(cfg, run.options_with(task.parent_checkpoint))
    if not all(map(_fits_a_line, run.recipe.options.values())):
        cfg.dump(folder / CONFIG)
    if run.device_loader:
        use_device_loader(cfg)
    cfg.experiment_name = f'{run.name}_{time.time_ns()}'  # mmengine would share the log history of equal names
    newest, refused = newest_checkpoint(cfg.work_dir)
    for reason in refused:
        print(f'warning: {reason}')
    if newest is not None:
        cfg.resume, cfg.load_from = True, str(newest)
    check_files(cfg)
    runner = build_runner(cfg)
    runner.train()
    return runner, newest is not None


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


def _accuracy(runner: Any, stage: str) -> Record:
    """Top-1 in percent after each validation, of the last and of the best, and of teacher and student by name."""
    scalars, loop = runner.message_hub.log_scalars, runner.train_loop
    curve = [round(float(value), 4) for value in scalars['val/accuracy/top1'].data[0]]
    last = loop.max_epochs
    epochs = [epoch for epoch in range(loop.val_begin, last + 1) if epoch % loop.val_interval == 0 or epoch == last]
    best = max(curve)
    of_teacher = scalars['val/teacher.accuracy/top1'].data[0][-1] if 'val/teacher.accuracy/top1' in scalars else None
    return {
        'last_accuracy': curve[-1],
        'best_accuracy': best,
        'best_epoch': epochs[curve.index(best)],
        'teacher_accuracy': curve[-1] if stage == 'teacher' else of_teacher and round(float(of_teacher), 4),
        'student_accuracy': curve[-1] if stage == 'student' else None,
        'curve': curve,
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
    """Whether ``--cfg-options`` can give a value: no dict, and no list with one."""
    return not any(isinstance(one, dict) for one in (value if isinstance(value, (list, tuple)) else [value]))


def _written(value: Any) -> str:
    return '[' + ','.join(map(str, value)) + ']' if isinstance(value, (list, tuple)) else str(value)
