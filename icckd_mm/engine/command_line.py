"""What the commands in ``tools/`` share: arguments, reading a config, and checks before any work."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable

import torch
from mmengine.config import Config, ConfigDict, DictAction
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of mmpretrain's commands that training and test share."""
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/<name of the config>)')
    parser.add_argument('--seed', type=int, help='same as --cfg-options randomness.seed=N')
    parser.add_argument('--no-pin-memory', action='store_true', help='do not pin the memory of data loaders')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. train_cfg.max_epochs=2; lists as key="[a,b]" or key=a,b',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by the launcher')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')


def read_config(args: argparse.Namespace) -> Config:
    """The config with work dir, launcher and seed of the command line; ``--cfg-options`` are merged later, over everything.

    Args:
        args (argparse.Namespace): With the arguments of :func:`add_common_arguments`.

    Returns:
        Config: The config.

    Raises:
        ValueError: If the file does not exist.
    """
    path = Path(args.config)
    if not path.is_file():
        known = {file.stem: file for file in Path('configs').rglob('*.py') if '_base_' not in file.parts}
        near = difflib.get_close_matches(path.stem, known, n=1)
        raise ValueError(
            f'config {args.config} does not exist; '
            + (f'did you mean {known[near[0]]}?' if near else 'ls configs/icckd/* shows ours')
        )
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    cfg = Config.fromfile(args.config)
    cfg.launcher = args.launcher
    if args.work_dir is not None or cfg.get('work_dir') is None:
        cfg.work_dir = args.work_dir or str(Path('work_dirs') / path.stem)
    if args.seed is not None:
        cfg.randomness = {**cfg.get('randomness', {}), 'seed': args.seed}
    return cfg


def set_loader_defaults(cfg: Config, fields: Sequence[str], *, pin_memory: bool, persistent_workers: bool) -> None:
    """Give data loaders mmpretrain's defaults where the config is silent.

    Args:
        cfg (Config): Changed in place.
        fields (Sequence[str]): Names of the loaders.
        pin_memory (bool): Whether to pin memory; without an accelerator it never is, since torch would warn each epoch.
        persistent_workers (bool): Whether workers outlive an epoch; without workers torch refuses it.
    """
    for field in fields:
        loader = cfg.get(field)
        if loader is None:
            continue
        defaults = ConfigDict(
            pin_memory=pin_memory and torch.cuda.is_available(),
            persistent_workers=persistent_workers and loader.get('num_workers', 0) > 0,
            collate_fn=dict(type='default_collate'),
        )
        cfg[field] = ConfigDict(**{**defaults, **loader})
        if not pin_memory:
            cfg[field].pin_memory = False
        if not persistent_workers:
            cfg[field].persistent_workers = False


def check_files(cfg: Config, loaders: Sequence[str] = LOADERS) -> None:
    """Look for the files a config names, before anything is built.

    Args:
        cfg (Config): The complete config.
        loaders (Sequence[str]): The data loaders that will be used.

    Raises:
        ValueError: If a data folder or checkpoint does not exist.
    """
    from icckd_mm.datasets.folders import check_data_folder  # heavy

    for field in loaders:
        if cfg.get(field):
            try:
                check_data_folder(cfg[field].dataset)
            except ValueError as error:
                raise ValueError(f'{field}: {error}') from None
    named = {'load_from': cfg.get('load_from'), 'model.teacher_ckpt': cfg.get('model', {}).get('teacher_ckpt')}
    for key, file in named.items():
        if file and '://' not in file and not os.path.isfile(os.path.expanduser(file)):
            raise ValueError(
                f'{key}: the checkpoint {file} does not exist; {_origin(file)}--cfg-options {key}=FILE names another'
            )


def build_runner(cfg: Config) -> Runner:
    """The runner that the config asks for."""
    return RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)


def run(main: Callable[[Sequence[str] | None], Any]) -> None:
    """Run a command: a mistake of the user ends in one line and exit status 2, with ``--debug`` in a traceback.

    Args:
        main (Callable): The command.
    """
    warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')  # mmcv-lite, of no use here
    try:
        main(None)
    except (ValueError, TypeError, OSError) as error:
        if '--debug' in sys.argv:
            traceback.print_exc()
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)


def _origin(checkpoint: str) -> str:
    """How to make a checkpoint that lies in the default work dir of one of our configs."""
    name = Path(checkpoint).parent.name
    for config in Path('configs').rglob(f'{name}.py'):
        return f'train it first with: python tools/train.py {config}; '
    return ''
