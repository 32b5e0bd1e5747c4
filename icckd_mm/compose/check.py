"""Runs a written config for a few real batches, forward and backward, before it counts as done."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from icckd_mm.config.check import check_config
from icckd_mm.config.command_line import LOADERS, build_runner, set_loader_defaults
from icckd_mm.config.errors import describe
from icckd_mm.config.fast import fast_options

STEPS, WARM_UP = 3, 1  # of them those that are not timed: the first allocates
SMALL, BATCHES = 64, (32, 8)  # most images per step up to this side, and above it


def _forget_trained(cfg: Config) -> None:
    """Leave out the checkpoints of earlier runs, which may be of other networks; a random teacher does for the check."""
    model = cfg.model
    teacher = model.get('teacher')
    if model.get('teacher_ckpt'):
        model.update(teacher_ckpt=None, allow_random_teacher=True)
    if isinstance(teacher, dict) and 'teacher_ckpts' in teacher:
        teacher['teacher_ckpts'] = [None] * len(teacher['teacher_ckpts'])
        model.allow_random_teacher = True
    if str(cfg.get('load_from')).startswith('work_dirs/'):
        cfg.load_from = None
    for part in (model, model.get('architecture'), model.get('distiller')):  # first stages
        start = part.get('init_cfg') if isinstance(part, dict) else None  # a list only initialises layers
        if isinstance(start, dict) and str(start.get('checkpoint')).startswith('work_dirs/'):
            part['init_cfg'] = None


class StepTimes(Hook):
    """Measures the steps of a training."""

    priority = 'VERY_LOW'

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._start = 0.0

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None) -> None:
        self._start = time.perf_counter()

    def after_train_iter(self, runner: Runner, batch_idx: int, data_batch: object = None, outputs: dict | None = None) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - self._start)


def check_written(path: Path, work_dir: Path, side: int, images: int) -> float:
    """Train a config for one short epoch on a few of its images, or on noise where they are missing, and validate once.

    Args:
        path: The config.
        work_dir: Folder for what the run writes.
        side: Side of the images.
        images: Number of training images.

    Returns:
        Seconds per image of a step, from the data loader's output to the end of the optimizer's step.

    Raises:
        ValueError: If it does not run; names the config.
    """
    return check_runs(Config.fromfile(path), path.name, work_dir, side, images)


def check_runs(cfg: Config, name: str, work_dir: Path, side: int, images: int) -> float:
    """The same for a config that was read.

    Args:
        cfg: The config; changed in place.
        name: Its name, for messages.
        work_dir: Folder for what the run writes.
        side: Side of the images.
        images: Number of training images.

    Returns:
        Seconds per image of a step.

    Raises:
        ValueError: If it does not run.
    """
    cfg.launcher, cfg.log_level = 'none', 'ERROR'
    set_loader_defaults(cfg, LOADERS, pin_memory=False, persistent_workers=False)
    try:
        check_config(cfg)
        usual = cfg.train_dataloader.batch_size
        _forget_trained(cfg)
        cfg.merge_from_dict(fast_options(cfg))
        loader = cfg.train_dataloader
        loader.batch_size = batch = min(usual, BATCHES[side > SMALL])
        loader.drop_last = images > batch  # one image alone has no spread for a batch norm of 1x1 maps
        loader.dataset['images' if 'images' in loader.dataset else 'num_images'] = min(STEPS * batch, images)
        cfg.train_cfg.max_epochs = 1
        cfg.work_dir = str(work_dir)
        cfg.experiment_name = f'{name}_{time.time_ns()}'  # mmengine would share logs and figures between equal names
        cfg.default_hooks.checkpoint = None
        runner = build_runner(cfg)
        times = StepTimes()
        runner.register_hook(times)
        runner.train()
    except Exception as error:  # anything that a network or a loss may raise
        raise ValueError(f'{name} does not run: {describe(error)}') from error
    timed = times.seconds[WARM_UP:] or times.seconds
    return sum(timed) / len(timed) / batch
