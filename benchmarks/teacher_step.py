"""Cost of a teacher's training step: cross-entropy alone, and with the intra-class loss by second view.

Run: ``python benchmarks/teacher_step.py [--rounds 10] [--arch resnet8x4]``. Forward, backward and SGD step on random images,
B=64, one thread, CPU time, interleaved; the forward hooks are those of training.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Sequence

import torch
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from icckd_mm.engine.classifier_layers import find_layers
from icckd_mm.engine.contrast_step import attach
from icckd_mm.models import IntraClassContrastiveLoss
from icckd_mm.zoo.architectures import classifier_config

BATCH, CLASSES = 64, 100


def step(model: torch.nn.Module, images: torch.Tensor, samples: list) -> None:
    optimizer = model.optimizer
    optimizer.zero_grad()
    losses = model(images, samples, mode='loss')
    sum(value for name, value in losses.items() if 'loss' in name).backward()
    optimizer.step()


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=10)
    parser.add_argument('--arch', default='resnet8x4', help='a network of the CIFAR benchmark')
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        plain = MODELS.build(classifier_config(args.arch, CLASSES)).train()
    images = torch.randn(2 * BATCH, 3, 32, 32)
    samples = [DataSample().set_gt_label(int(label)) for label in torch.randint(CLASSES, (BATCH,))]
    models = {'cross-entropy': plain}
    for view in ('no_grad', 'grad'):
        model = copy.deepcopy(plain)
        layers = find_layers(model, images[:1], None, None)
        model.icc_loss = IntraClassContrastiveLoss(layers.num_classes, layers.feat_dims, margin=-1.0)
        attach(model, layers, view, 'first')
        models[f"second_view='{view}'"] = model
    times: dict[str, list[float]] = {name: [] for name in models}
    for model in models.values():
        model.optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    for index in range(args.rounds + 1):
        for name, model in models.items():
            start = time.process_time()
            step(model, images[:BATCH] if model is plain else images, samples)
            if index:  # the first round warms up
                times[name].append(time.process_time() - start)
    base = statistics.median(times['cross-entropy'])
    print(f'{args.arch}, B={BATCH}, one thread, torch {torch.__version__}')
    for name, seconds in times.items():
        low, middle, high = statistics.quantiles(seconds, n=4)
        print(f'  {name:24s} {1e3 * middle:8.0f} ms  IQR {1e3 * (high - low):6.0f}  {middle / base:5.2f} x')


if __name__ == '__main__':
    main()
