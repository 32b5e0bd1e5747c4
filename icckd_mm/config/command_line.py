"""Shared by the commands in ``tools/``: arguments, reading a config, and checks before any work."""

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
from mmengine.dist import is_main_process
from mmengine.registry import RUNNERS
from mmengine.runner import Runner

from icckd_mm.config.errors import FAILED, REFUSED, describe, is_for_users, write_to_log
from icckd_mm.config.schema import LOADERS
from icckd_mm.engine.process.folder_lock import check_writable
from icckd_mm.engine.process.interruption import Stopped, handled, note_status, stop_behind
from icckd_mm.engine.process.process_group import leave_process_group
from icckd_mm.engine.process.stop_hook import StopHook
from icckd_mm.packaged import PREFIX, name_of_config, named_config


class OptionsAction(DictAction):
    """mmengine's parser of ``KEY=VALUE``, with a message if the argument has another format."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, *args: Any) -> None:
        for option in values:
            if option.find('=') < 1 or any(option.count(left) != option.count(right) for left, right in ('()', '[]')):
                parser.error(f'--cfg-options {option}: write KEY=VALUE, with closed brackets, e.g. train_cfg.max_epochs=2')
        super().__call__(parser, namespace, values, *args)


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of mmpretrain's commands that training and test share."""
    parser.add_argument('config', help='path of the config')
    parser.add_argument('--work-dir', help='folder for logs and checkpoints (default: work_dirs/<name of the config>)')
    parser.add_argument('--seed', type=int, help='same as --cfg-options randomness.seed=N')
    parser.add_argument('--no-pin-memory', action='store_true', help='do not pin the memory of data loaders')
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        metavar='KEY=VALUE',
        help='override settings of the config, e.g. train_cfg.max_epochs=2; lists as key="[a,b]" or key=a,b',
    )
    parser.add_argument('--launcher', choices=['none', 'pytorch', 'slurm', 'mpi'], default='none', help='job launcher')
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by the launcher')
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')


def read_config(args: argparse.Namespace) -> Config:
    """The config with work dir, launcher and seed of the command line; ``--cfg-options`` are merged later.

    Args:
        args: Parsed arguments of :func:`add_common_arguments`.

    Returns:
        The config.

    Raises:
        ValueError: If the file does not exist or is not a config.
    """
    path = config_file(args.config)
    os.environ.setdefault('LOCAL_RANK', str(args.local_rank))
    try:
        cfg = Config.fromfile(path)
    except Exception as error:  # a config is a program and may raise any error
        raise ValueError(f'config {args.config} cannot be read: {describe(error)}; fix the file') from error
    cfg.launcher = args.launcher
    if args.work_dir is not None or cfg.get('work_dir') is None:
        cfg.work_dir = args.work_dir or str(Path('work_dirs') / path.stem)
    if args.seed is not None:
        cfg.randomness = {**cfg.get('randomness', {}), 'seed': args.seed}
    return cfg


def config_file(given: str) -> Path:
    """The file of a config: a path, or ``icckd_mm::icckd/teacher/NAME.py`` for one that comes with the package.

    Raises:
        ValueError: If there is no such file; with the nearest one.
    """
    if given.startswith(PREFIX):
        try:
            return named_config(given)
        except FileNotFoundError as error:
            raise ValueError(str(error)) from None
    path = Path(given)
    if not path.is_file():
        known = {file.stem: str(file) for file in Path('configs').rglob('*.py') if '_base_' not in file.parts}
        near = difflib.get_close_matches(path.stem, known, n=1)
        named = known[near[0]] if near else name_of_config(path.stem)
        hint = f'did you mean {named}?' if named else 'python -m icckd_mm configs lists ours'
        raise ValueError(f'config {given} does not exist; {hint}')
    return path


def set_loader_defaults(cfg: Config, fields: Sequence[str], *, pin_memory: bool, persistent_workers: bool) -> None:
    """Give data loaders mmpretrain's defaults where the config sets nothing.

    Args:
        cfg: Changed in place.
        fields: Names of the loaders.
        pin_memory: Whether to pin memory; ignored without an accelerator, since torch would warn each epoch.
        persistent_workers: Whether workers are kept between epochs; ignored without workers, since torch refuses it.
    """
    for field in fields:
        loader = cfg.get(field)
        if not isinstance(loader, dict) or 'type' in loader:  # a DeviceLoader has no workers; errors come later
            continue
        if not isinstance(loader, dict):
            raise ValueError(f'{field} must be a dict, got {loader!r}; correct it in the config')
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


def check_files(cfg: Config, loaders: Sequence[str] = LOADERS, start: str = '') -> None:
    """Check that the files a config names exist, before anything is built.

    Args:
        cfg: The complete config.
        loaders: The data loaders that will be used.
        start: Argument of the command that gave ``load_from``, if any.

    Raises:
        ValueError: If a data folder or checkpoint does not exist.
    """
    from icckd_mm.config.fast import is_at_hand, named_checkpoints  # heavy
    from icckd_mm.config.missing_checkpoint import describe_missing
    from icckd_mm.datasets.files.folders import check_data_folder

    for field in loaders:
        if cfg.get(field):
            try:
                check_data_folder(cfg[field].dataset)
            except ValueError as error:
                raise ValueError(f'{field}: {error}') from None
    for key, files in named_checkpoints(cfg).items():
        for file in files:
            if not is_at_hand(file):
                argument = start if key == 'load_from' else ''
                raise ValueError(describe_missing(key, file, cfg.get('work_dir'), argument, cfg.filename))


def build_runner(cfg: Config, new_schedule: bool = False) -> Runner:
    """Build the runner of a config.

    Args:
        cfg: The complete config.
        new_schedule: Whether a resumed run follows its own optimizer settings and schedules, not those of the checkpoint.

    Returns:
        The runner; it has made the work dir.

    Raises:
        ValueError: If the work dir cannot be made or written to, or a file is of another network.
    """
    from icckd_mm.config.network_files import check_networks  # heavy
    from icckd_mm.engine.data_check_hook import DataCheckHook
    from icckd_mm.engine.loading.load_check_hook import add_load_check

    check_writable(cfg.work_dir)
    check_networks(cfg)
    runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)
    runner.register_hook(StopHook())
    if not any(isinstance(hook, DataCheckHook) for hook in runner.hooks):
        runner.register_hook(DataCheckHook())
    add_load_check(runner, new_schedule)
    return runner


def run(
    main: Callable[[Sequence[str] | None], Any],
    argv: Sequence[str] | None = None,
    resumes: bool = False,
    flag: str = ' with --resume',
) -> None:
    """Run a command: an error prints one line on stderr, and its traceback to the log if a run has begun.

    The exit status is 2 if a check refused the input, 1 for every other error; ``--debug`` also prints the traceback.
    A command that is asked to stop prints one line, too. Its status is 130 after Ctrl-C, otherwise 75 if it can be resumed
    and 128 + the signal if it cannot. Connections to other processes are always closed at the end.

    Args:
        main: The command.
        argv: Its command line. Defaults to ``sys.argv[1:]``.
        resumes: Whether the same command continues it. Defaults to False.
        flag: What the command needs for that. Defaults to ``' with --resume'``.
    """
    warnings.filterwarnings('ignore', message='Fail to import ``MultiScaleDeformableAttention``')  # mmcv-lite, of no use here
    status = 0
    with handled():
        try:
            main(argv)
        except Stopped as stopped:
            status = _say_stopped(stopped, resumes, flag)
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else FAILED
            raise
        except Exception as error:
            request = stop_behind(error)
            status = _say_stopped(request, resumes, flag) if request else _say_failed(error, argv)
        finally:
            leave_process_group(status)
    if status:
        sys.exit(status)


def _say_stopped(stopped: Stopped, resumes: bool, flag: str) -> int:
    """One line on stderr for a command that was asked to stop; returns its exit status."""
    status = stopped.status(resumes)
    if is_main_process():
        print(f'{stopped}' + (f'; the same command{flag} continues' if resumes else ''), file=sys.stderr)
    note_status(status)
    return status


def _say_failed(error: Exception, argv: Sequence[str] | None) -> int:
    """One line on stderr for a command that failed, with ``--debug`` the traceback too; returns its exit status."""
    log = write_to_log(error)
    hint = f'the traceback is in {log}' if log else '--debug shows the traceback'
    if '--debug' in (sys.argv if argv is None else argv):
        traceback.print_exc()
    print(f'error: {describe(error)}' + ('' if is_for_users(error) else f' ({hint})'), file=sys.stderr)
    return REFUSED if is_for_users(error) else FAILED
