#!/usr/bin/env python
"""Train a teacher or a student."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from mmengine.runner import Runner

from icckd_mm.config.command_line import add_common_arguments, read_config, run
from icckd_mm.config.launch import train


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        help='resume from this checkpoint (default: the newest in the work dir)',
    )
    parser.add_argument(
        '--new-schedule',
        action='store_true',
        help='with --resume: learning rate and schedules of this command instead of those of the checkpoint',
    )
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision (needs a GPU)')
    parser.add_argument('--no-validate', action='store_true', help='do not evaluate during training')
    parser.add_argument('--auto-scale-lr', action='store_true', help='scale the learning rate with the actual batch size')
    parser.add_argument('--fast', action='store_true', help='train two epochs on a few images (or noise if data are missing)')
    parser.add_argument('--device-loader', action='store_true', help='hold and augment the training images on the device')
    parser.add_argument('--no-persistent-workers', action='store_true', help='restart the workers each epoch')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> Runner:
    """Train the model of a config.

    Args:
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.

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
            raise ValueError('--amp needs a GPU, and none was found; omit it to train in full precision')
        cfg.optim_wrapper.type = 'AmpOptimWrapper'
        cfg.optim_wrapper.setdefault('loss_scale', 'dynamic')
    if args.auto_scale_lr:
        if not cfg.get('auto_scale_lr'):
            raise ValueError(f'--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=...) in {args.config}')
        cfg.auto_scale_lr.enable = True
    if args.new_schedule and not args.resume:
        raise ValueError('--new-schedule needs --resume; a training from the start follows its config anyway')
    return train(
        cfg,
        args.cfg_options,
        resume=args.resume,
        new_schedule=args.new_schedule,
        fast=args.fast,
        device_loader=args.device_loader,
        pin_memory=not args.no_pin_memory,
        persistent_workers=not args.no_persistent_workers,
    )


if __name__ == '__main__':
    run(main, resumes=True)
