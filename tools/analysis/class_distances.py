#!/usr/bin/env python
"""Write how far apart a teacher finds the classes, one minus their CKA on the training images, for WassersteinLogitLoss."""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.runner import Runner

from icckd_mm.config.command_line import run
from icckd_mm.distill.weights import IGNORED, load_strictly
from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.functional import class_distances
from icckd_mm.lab.measures.class_rows import ROWS, class_rows


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help="the teacher's config, whose training images are used with the pipeline of its test")
    parser.add_argument('checkpoint', type=Path, help='its weights')
    parser.add_argument('--out', type=Path, required=True, help='the .npy file to write')
    parser.add_argument(
        '--rows',
        choices=ROWS,
        default='map',
        help='what is compared: each place of the last map, as published for CIFAR (default), the pooled features, or the '
        'logits, as published for ImageNet',
    )
    parser.add_argument('--debug', action='store_true', help='show the traceback of an error')
    args = parser.parse_args(argv)
    if args.out.suffix != '.npy':
        parser.error(f'--out {args.out} must end in .npy')
    if not args.checkpoint.is_file():
        parser.error(f'{args.checkpoint} does not exist; name a checkpoint of the teacher')
    cfg = Config.fromfile(args.config)
    dataset = cfg.train_dataloader.dataset
    if 'pipeline' not in dataset:
        raise ValueError(f'the training set of {args.config} has no pipeline of its own; take a config without a wrapper')
    from mmpretrain import get_model  # heavy

    model = get_model(cfg).to(get_device())
    load_strictly(model, str(args.checkpoint), IGNORED)
    dataset.pipeline = cfg.test_dataloader.dataset.pipeline
    loader = Runner.build_dataloader({**cfg.test_dataloader, 'dataset': dataset, 'collate_fn': dict(type='default_collate')})
    features = class_rows(model, loader, args.rows)
    file = io.BytesIO()
    np.save(file, class_distances(features).numpy().astype(np.float32))
    write_atomically(args.out, file.getvalue())
    print(f'{args.out}: {len(features)} classes of {len(features[0])} rows, {args.rows}')


if __name__ == '__main__':
    run(main)
