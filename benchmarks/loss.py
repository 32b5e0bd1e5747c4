"""Cost of the intra-class contrastive loss: forward, backward and enqueue, one thread, against the bare products.

Run: ``python benchmarks/loss.py [--rounds 200] [--json out.json]``. All forms are timed interleaved in one process, in CPU
time. What counts is the ratio to ``bare``: one gathered product, log-sum-exp and a scatter enqueue, without normalisation,
gate, masks or checks.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import statistics
import time
from functools import partial
from typing import Callable

import torch
from torch import Tensor

from icckd_mm.models.losses import IntraClassContrastiveLoss

SHAPES = [(64, 100, 32, 256), (256, 1000, 16, 512), (128, 10, 256, 512)]  # B, C, K, D
DENSE_LIMIT = 1 << 30  # bytes of the (B, C*K) matrix of the dense form


def keep_blocks() -> None:
    """Let malloc keep freed blocks, as the CUDA allocator does; otherwise page faults decide who wins."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, 'mallopt'):  # glibc
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD


def bare(features: Tensor, positives: Tensor, labels: Tensor, queue: Tensor, ptr: Tensor) -> Tensor:
    """The least that has to be done: gather, one product, InfoNCE, scatter."""
    classes, slots, width = queue.shape
    rows = queue.view(classes, -1).index_select(0, labels).view(-1, slots, width)
    products = torch.bmm(features[:, None, :], rows.transpose(1, 2)).squeeze(1)
    positive = (features * positives).sum(1, keepdim=True)
    loss = (torch.cat([positive, products], dim=1) / 0.1).logsumexp(dim=1).sub(positive[:, 0] / 0.1).mean()
    with torch.no_grad():
        ordered, order = labels.sort(stable=True)
        rank = torch.arange(len(labels)) - torch.searchsorted(ordered, ordered)
        slot = (ptr[ordered] + rank) % slots
        queue.view(-1, width).index_copy_(0, ordered * slots + slot, features[order])
        ptr.scatter_add_(0, ordered, torch.ones_like(ordered)).remainder_(slots)
    return loss


def dense(features: Tensor, positives: Tensor, labels: Tensor, queue: Tensor, ptr: Tensor) -> Tensor:
    """The usual form: products with all classes, other classes masked."""
    classes, slots, width = queue.shape
    products = features @ queue.view(-1, width).T
    own = torch.arange(classes).repeat_interleave(slots) == labels[:, None]
    positive = (features * positives).sum(1, keepdim=True)
    both = torch.cat([positive, products.masked_fill(~own, -1e9)], dim=1) / 0.1
    return both.logsumexp(dim=1).sub(positive[:, 0] / 0.1).mean()


def build(shape: tuple[int, int, int, int]) -> dict[str, Callable[[], None]]:
    batch, classes, slots, width = shape
    torch.manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(batch, width), dim=1)
    positives = torch.nn.functional.normalize(torch.randn(batch, width), dim=1)
    labels, logits = torch.randint(classes, (batch,)), torch.randn(batch, classes)
    queue, ptr = (
        torch.nn.functional.normalize(torch.randn(classes, slots, width), dim=2),
        torch.zeros(classes, dtype=torch.long),
    )

    def step(loss: Callable[[Tensor], Tensor]) -> None:
        anchors = features.clone().requires_grad_()
        loss(anchors).backward()

    def ours(**options: bool) -> Callable[[], None]:
        module = IntraClassContrastiveLoss(classes, width, queue_size=slots, margin=-1.0, loss_weight=1.0, **options)
        module.queue.queue.copy_(queue)
        module.queue.filled.fill_(slots)
        return partial(step, lambda anchors: module(anchors, positives, logits, labels))

    forms = {
        'bare': partial(step, lambda anchors: bare(anchors, positives, labels, queue, ptr)),
        'ours': ours(in_batch_negatives=False),
        'ours, in-batch negatives': ours(),
    }
    if batch * classes * slots * 4 <= DENSE_LIMIT:
        forms['dense, masked'] = partial(step, lambda anchors: dense(anchors, positives, labels, queue, ptr))
    return forms


def measure(forms: dict[str, Callable[[], None]], rounds: int) -> dict[str, dict[str, float]]:
    """Median and interquartile range of the CPU time in ms, rounds interleaved; slow forms get fewer rounds."""
    times: dict[str, list[float]] = {name: [] for name in forms}
    for form in forms.values():
        form()
    for index in range(rounds):
        for name, form in forms.items():
            if index >= 20 and times[name][0] > 20e-3:
                continue
            start = time.process_time()
            form()
            times[name].append(time.process_time() - start)
    result = {}
    for name, seconds in times.items():
        low, middle, high = statistics.quantiles(seconds, n=4)
        result[name] = {'median_ms': middle * 1e3, 'iqr_ms': (high - low) * 1e3}
    base = result['bare']['median_ms']
    return {name: {**row, 'ratio': row['median_ms'] / base} for name, row in result.items()}


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=200)
    parser.add_argument('--json', help='write the figures to this file')
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    keep_blocks()
    report = {'machine': platform.processor() or platform.machine(), 'torch': torch.__version__, 'threads': 1, 'shapes': {}}
    for shape in SHAPES:
        figures = measure(build(shape), args.rounds)
        report['shapes'][str(shape)] = figures
        print(f'(B, C, K, D) = {shape}')
        for name, row in figures.items():
            print(f'  {name:26s} {row["median_ms"]:9.3f} ms  IQR {row["iqr_ms"]:7.3f}  {row["ratio"]:6.2f} x bare')
    if args.json:
        with open(args.json, 'w', encoding='utf-8') as file:
            json.dump(report, file, indent=2)


if __name__ == '__main__':
    main()
