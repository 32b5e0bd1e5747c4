#!/usr/bin/env python
"""Train a teacher or a student."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from icckd_mm.datasets.device_config import use_device_loader
from icckd_mm.engine.checkpoint_search import newest_checkpoint
from icckd_mm.engine.command_line import (
    LOADERS,
    add_common_arguments,
    build_runner,
    check_files,
    read_config,
    run,
    set_loader_defaults,
)
from icckd_mm.engine.config_keys import apply_options
from icckd_mm.engine.hooks.load_check_hook import add_load_check


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument(
        '--resume', nargs='?', const='auto', help='go on from this checkpoint; without a path from the newest in the work dir'
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision (needs a GPU)')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the real batch size')
    parser.add_argument('--fast', action='store_true', help='two epochs of a few images, of noise where the data are missing')
    parser.add_argument('--device-loader', action='store_true', help='hold and augment the training images on the device')
    parser.add_argument('--no-persistent-workers', action='store_true', help='start the workers anew each epoch')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Runner:
    """Train as the config says.

    Args:
        argv (Sequence[str], optional): Command line without the name of the program. Defaults to ``sys.argv[1:]``.

    Returns:
        Runner: The runner after training.

    Raises:
        ValueError: If a file is missing or a flag does not fit the machine or the config.
    """
    args = parse_args(argv)
    cfg = read_config(args)
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None
    if args.amp:
        if not torch.cuda.is_available():
            raise ValueError('--amp needs a GPU, and none was found; leave it out to train in full precision')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.auto_scale_lr:
        if not cfg.get('auto_scale_lr'):
            raise ValueError(f'--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in {args.config}')
        cfg.auto_scale_lr.enable = True
    set_loader_defaults(cfg, LOADERS, pin_memory=not args.no_pin_memory, persistent_workers=not args.no_persistent_workers)
    apply_options(cfg, args.cfg_options)
    if args.fast:
        from icckd_mm.datasets.fast import fast_options  # heavy

        cfg.merge_from_dict(fast_options(cfg))
    if args.device_loader:
        use_device_loader(cfg)
    if cfg.get('resume') and not cfg.get('load_from'):
        go_on_from_newest(cfg)
    check_files(cfg, [field for field in LOADERS if field != 'test_dataloader'])
    runner = build_runner(cfg)
    add_load_check(runner)
    runner.train()
    return runner


def go_on_from_newest(cfg: Config) -> None:
    """Name the newest whole checkpoint of the work dir in ``cfg.load_from``; mmengine trusts ``last_checkpoint`` alone."""
    newest, refused = newest_checkpoint(cfg.work_dir)
    for reason in refused:
        print(f'warning: {reason}')
    cfg.resume, cfg.load_from = newest is not None, newest and str(newest)
    print(f'going on from {newest}' if newest else f'there is no checkpoint in {cfg.work_dir} yet: training begins anew')


if __name__ == '__main__':
    run(main)
