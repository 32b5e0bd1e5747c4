#!/usr/bin/env python
"""Test a teacher or a student."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from copy import deepcopy

import mmengine
from mmengine.config import Config, ConfigDict
from mmengine.evaluator import DumpResults

from icckd_mm.config.command_line import (
    add_common_arguments,
    build_runner,
    check_files,
    read_config,
    run,
    set_loader_defaults,
)
from icckd_mm.config.fast import without_missing_checkpoints
from icckd_mm.config.options import apply_options


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add_common_arguments(parser)
    parser.add_argument('checkpoint', help='checkpoint to test')
    parser.add_argument('--out', help='write the results to this file (.json, .yml or .pkl)')
    parser.add_argument('--out-item', choices=['metrics', 'pred'], help='content of --out (default: pred)')
    parser.add_argument('--amp', action='store_true', help='automatic mixed precision')
    parser.add_argument('--show-dir', help='write pictures of the predictions to this folder')
    parser.add_argument('--show', action='store_true', help='show the predictions in a window')
    parser.add_argument('--interval', type=int, default=1, help='show every N-th sample')
    parser.add_argument('--wait-time', type=float, default=2, help='seconds per picture')
    parser.add_argument('--tta', action='store_true', help='use test-time augmentation of the config, else flips')
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> dict:
    """Test the model of a config.

    Args:
        argv (Sequence[str], optional): Command line arguments. Defaults to ``sys.argv[1:]``.

    Returns:
        dict: The metrics.

    Raises:
        ValueError: If a file is missing or flags do not belong together.
    """
    args = parse_args(argv)
    if args.out_item is not None and args.out is None:
        raise ValueError('--out-item needs --out; add --out FILE')
    cfg = read_config(args)
    if args.amp:
        cfg.test_cfg.fp16 = True
    if args.show or args.show_dir is not None:
        show_predictions(cfg, args)
    cfg.load_from = None  # where the training started
    absent = without_missing_checkpoints(cfg)  # a student is tested without its teacher and initial weights
    cfg.merge_from_dict(absent)
    cfg.load_from = args.checkpoint
    if args.tta:
        augment_test(cfg)
    set_loader_defaults(cfg, ['test_dataloader'], pin_memory=not args.no_pin_memory, persistent_workers=False)
    apply_options(cfg, args.cfg_options)
    check_files(cfg, ['test_dataloader'], 'CHECKPOINT')
    runner = build_runner(cfg)
    if args.out and args.out_item != 'metrics':
        runner.test_evaluator.metrics.append(DumpResults(out_file_path=args.out))
    metrics = runner.test()
    if args.out and args.out_item == 'metrics':
        mmengine.dump(metrics, args.out)
    return metrics


def show_predictions(cfg: Config, args: argparse.Namespace) -> None:
    """Turn on mmpretrain's visualization hook."""
    if not cfg.get('default_hooks', {}).get('visualization'):
        raise ValueError("--show needs default_hooks.visualization=dict(type='VisualizationHook') in the config")
    cfg.default_hooks.visualization.update(
        enable=True, show=args.show, wait_time=args.wait_time, out_dir=args.show_dir, interval=args.interval
    )


def augment_test(cfg: Config) -> None:
    """Average the scores of the config's test-time augmentations, or of horizontal flips if it has none."""
    cfg.setdefault('tta_model', dict(type='mmpretrain.AverageClsScoreTTA'))
    if 'tta_pipeline' not in cfg:
        pipeline = deepcopy(cfg.test_dataloader.dataset.pipeline)
        flips = [dict(type='RandomFlip', prob=1.0), dict(type='RandomFlip', prob=0.0)]
        pipeline[-1] = dict(type='TestTimeAug', transforms=[flips, [pipeline[-1]]])
        cfg.tta_pipeline = pipeline
    cfg.model = ConfigDict(**cfg.tta_model, module=cfg.model)
    cfg.test_dataloader.dataset.pipeline = cfg.tta_pipeline


if __name__ == '__main__':
    run(main)
