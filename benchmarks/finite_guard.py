"""Cost of the finite guard: a training step of mmengine with and without it.

Run: ``python benchmarks/finite_guard.py [--rounds 20] [--arch resnet8x4] [--optimizer SGD]``. ``train_step`` (forward,
backward, update) and the hook's part of an iteration on random images, B=64, one thread, CPU time, interleaved in changing
order; the deferred form is the one for CUDA, here on the CPU. The hook is also timed alone, which is the finer figure: its
share of a step is below what a step varies by.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Sequence
from types import SimpleNamespace

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import DefaultScope
from mmpretrain.registry import MODELS
from mmpretrain.structures import DataSample

from icckd_mm.engine.hooks import FiniteGuardHook
from icckd_mm.zoo.architectures import classifier_config

BATCH, CLASSES = 64, 100


class Run:
    """What the hook needs of a runner, and one iteration of a train loop."""

    def __init__(self, model: torch.nn.Module, optimizer: str, mode: str) -> None:
        self.hook = FiniteGuardHook(mode=mode)
        self.model = model
        arguments = dict(momentum=0.9, weight_decay=5e-4) if optimizer.startswith('SGD') else {}
        kind, _, fused = optimizer.partition('-')
        built = getattr(torch.optim, kind)(model.parameters(), lr=1e-3, **arguments, **({'fused': True} if fused else {}))
        self.runner = SimpleNamespace(model=model, optim_wrapper=OptimWrapper(built), iter=0, epoch=0, hooks=[])
        self.hook.before_train(self.runner)

    def step(self, batch: dict) -> float:
        begin = time.process_time()
        self.hook.before_train_iter(self.runner, 0, batch)
        outputs = self.model.train_step(batch, self.runner.optim_wrapper)
        self.hook.after_train_iter(self.runner, 0, batch, outputs)
        self.runner.iter += 1
        return time.process_time() - begin


def hook_alone(run: Run, batch: dict, rounds: int) -> float:
    """Seconds that the guard adds to a step: its methods, timed one by one on gradients that are there."""
    guard = run.hook.guard
    if guard is None:
        return 0.0
    outputs = run.model.train_step(batch, run.runner.optim_wrapper)
    for weight in guard.parameters:
        weight.grad = torch.zeros_like(weight)
    own_backward, own_step = guard._backward, guard._step
    loss = torch.ones((), requires_grad=True)
    seconds = []
    for _ in range(rounds):
        guard._backward, guard._step = (lambda *_, **__: None), (lambda *_, **__: None)
        begin = time.process_time()
        run.hook.before_train_iter(run.runner, 0, batch)
        guard.backward(loss)
        guard.step()
        run.hook.after_train_iter(run.runner, 0, batch, outputs)
        seconds.append(time.process_time() - begin)
    guard._backward, guard._step = own_backward, own_step
    return statistics.median(seconds)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=20)
    parser.add_argument('--arch', default='resnet8x4', help='a network of the CIFAR benchmark')
    parser.add_argument('--optimizer', default='SGD', choices=['SGD', 'SGD-fused', 'AdamW', 'AdamW-fused'])
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        plain = MODELS.build(classifier_config(args.arch, CLASSES)).train()
    samples = [DataSample().set_gt_label(int(label)) for label in torch.randint(CLASSES, (BATCH,))]
    batch = dict(inputs=torch.randn(BATCH, 3, 32, 32), data_samples=samples)
    runs = {mode: Run(copy.deepcopy(plain), args.optimizer, mode) for mode in ('off', 'immediate', 'deferred')}
    times: dict[str, list[float]] = {mode: [] for mode in runs}
    names = list(runs)
    for index in range(args.rounds + 1):
        for mode in (*names[index % 3 :], *names[: index % 3]):
            seconds = runs[mode].step(batch)
            if index:  # the first round warms up
                times[mode].append(seconds)
    base = statistics.median(times['off'])
    print(f'{args.arch}, {args.optimizer}, B={BATCH}, one thread, torch {torch.__version__}, {args.rounds} rounds')
    for mode, seconds in times.items():
        low, middle, high = statistics.quantiles(seconds, n=4)
        ratio = statistics.median(one / off for one, off in zip(seconds, times['off']))
        alone = hook_alone(runs[mode], batch, args.rounds)
        print(
            f'  {mode:10s} {1e3 * middle:8.1f} ms  IQR {1e3 * (high - low):6.1f}  {ratio:6.4f} x   '
            f'guard alone {1e3 * alone:6.3f} ms = {100 * alone / base:.3f} %'
        )


if __name__ == '__main__':
    main()
