"""Trains the model of a config, for ``tools/train.py``, runs of a plan and trials of a tuning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import Runner

from icckd_mm.config.command_line import LOADERS, build_runner, check_files, set_loader_defaults
from icckd_mm.config.device_loader import use_device_loader
from icckd_mm.config.options import apply_options
from icckd_mm.config.text_once import format_once
from icckd_mm.engine.exact.checkpoint_search import newest_checkpoint
from icckd_mm.engine.process.folder_lock import work_dir_lock

NEWEST = 'auto'


def train(
    cfg: Config,
    options: Mapping[str, Any] | None = None,
    *,
    resume: str | None = None,
    new_schedule: bool = False,
    fast: bool = False,
    device_loader: bool = False,
    tested: bool = False,
    pin_memory: bool = True,
    persistent_workers: bool = True,
) -> Runner:
    """Complete a config, check it, make its runner and train.

    Args:
        cfg: A config with its work dir; changed in place.
        options: ``--cfg-options``, merged over the config; the flags below override them.
        resume: A checkpoint to resume from, or ``'auto'`` for the newest intact one in the work dir, if any.
        new_schedule: With ``resume``, follow optimizer settings and schedules of the config instead of those of the checkpoint.
        fast: Train two epochs on a few images, or on noise if the data are missing.
        device_loader: Hold and augment the training images on the device.
        tested: Also check the files of the test set, because the caller tests afterwards.
        pin_memory: Pin the memory of data loaders where there is a GPU.
        persistent_workers: Keep the workers of data loaders from one epoch to the next.

    Returns:
        The runner after training.

    Raises:
        ValueError: If an option or flag does not fit the config, or a file is missing.
    """
    format_once()
    if resume not in (None, NEWEST):
        cfg.resume, cfg.load_from = True, resume
    apply_options(cfg, dict(options) if options else None)
    set_loader_defaults(cfg, LOADERS, pin_memory=pin_memory, persistent_workers=persistent_workers)
    if fast:
        from icckd_mm.config.fast import fast_options  # heavy

        cfg.merge_from_dict(fast_options(cfg))
    if device_loader:
        use_device_loader(cfg)
    with work_dir_lock(cfg.work_dir, cfg.launcher):
        if resume == NEWEST or (cfg.get('resume') and not cfg.get('load_from')):
            resume_from_newest(cfg)
        if not cfg.get('resume'):
            warn_of_earlier_run(cfg)
        loaders = [field for field in LOADERS if tested or field != 'test_dataloader']
        check_files(cfg, loaders, '--resume' if resume not in (None, NEWEST) else '')
        runner = build_runner(cfg, new_schedule)
        runner.train()
    return runner


def warn_of_earlier_run(cfg: Config) -> None:
    """Say what a training from the start will replace in its work dir, as mmengine does without a word."""
    found = sorted(path.name for path in Path(cfg.work_dir).expanduser().glob('*.pth'))
    if found:
        print(
            f'warning: {cfg.work_dir} holds {len(found)} checkpoint(s) of an earlier run, such as {found[-1]}; this run '
            'replaces those of the same names; --resume continues the earlier run, --work-dir names another folder'
        )


def resume_from_newest(cfg: Config) -> None:
    """Resume from the newest intact checkpoint of the work dir; without one, start as the config says.

    mmengine trusts the file ``last_checkpoint`` alone.
    """
    newest, refused = newest_checkpoint(cfg.work_dir)
    for reason in refused:
        print(f'warning: {reason}')
    cfg.resume = newest is not None
    if newest is not None:
        cfg.load_from = str(newest)
        print(f'resuming from {newest}')
    else:
        start = f'the weights of {cfg.load_from}' if cfg.get('load_from') else 'scratch'
        print(f'there is no checkpoint in {cfg.work_dir} yet: training starts from {start}')
