"""Cost of our networks: forward and backward of a batch on one thread, against the same architecture in plain PyTorch.

Run: ``python benchmarks/networks.py [resnet8x4 wrn_16_2 vgg8] [--rounds 20] [--json out.json]``. Both forms hold the same
weights and are timed in turns in one process, in seconds of the processor, so that other work on the machine matters little;
what counts is the ratio of neighbours. The plain form is the transcription that the importer is tested by; as usual in such
code its ReLUs work in place, and ours do not.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from icckd_mm.models import backbones  # noqa: F401  # registers them
from icckd_mm.zoo.architectures import find_architecture

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'tests'))
from test_zoo.peer_networks import NETWORKS

BATCH = 64


class Classifier(nn.Module):
    """An mmpretrain classifier from images to logits, without the bookkeeping of its training step."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(B, C)``."""
        return self.model.head(self.model.extract_feat(images))


def seconds(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    model.zero_grad()
    start = time.process_time()
    F.cross_entropy(model(images), labels).backward()
    return time.process_time() - start


def compare(arch: str, rounds: int) -> dict[str, Any]:
    torch.manual_seed(0)
    network = find_architecture(arch)
    plain = NETWORKS[network.name]()
    ours = Classifier(MODELS.build(network.config(100)))
    ours.model.load_state_dict({network.rename(key): value for key, value in plain.state_dict().items()})
    images, labels = torch.randn(BATCH, 3, 32, 32), torch.randint(100, (BATCH,))
    torch.testing.assert_close(ours(images), plain(images), rtol=1e-4, atol=1e-4)
    forms = {'plain': plain, 'ours': ours}
    for model in forms.values():  # warm up
        seconds(model, images, labels)
    times: dict[str, list[float]] = {name: [] for name in forms}
    for turn in range(rounds):
        for name in sorted(forms, reverse=turn % 2 == 0):  # who is first changes from round to round
            times[name].append(seconds(forms[name], images, labels))
    ratios = [ours / plain for ours, plain in zip(times['ours'], times['plain'])]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        'network': network.name,
        'plain_ms': round(statistics.median(times['plain']) * 1e3, 1),
        'ours_ms': round(statistics.median(times['ours']) * 1e3, 1),
        'ratio': round(middle, 3),
        'ratio_quartiles': [round(low, 3), round(high, 3)],
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('networks', nargs='*', default=['resnet8x4', 'wrn_16_2', 'vgg8'])
    parser.add_argument('--rounds', type=int, default=20)
    parser.add_argument('--json', type=Path, help='write the figures to this file')
    args = parser.parse_args(argv)
    torch.set_num_threads(1)
    print(f'torch {torch.__version__}, one thread, batch {BATCH}, {args.rounds} rounds; target ratio 1.03')
    results = []
    for arch in args.networks:
        result = compare(arch, args.rounds)
        low, high = result['ratio_quartiles']
        print(
            f'{result["network"]:<12} plain {result["plain_ms"]:8.1f} ms   ours {result["ours_ms"]:8.1f} ms   '
            f'ratio {result["ratio"]:.3f} ({low:.3f} to {high:.3f})'
        )
        results.append(result)
    if args.json:
        machine = {'machine': platform.processor() or platform.machine(), 'torch': torch.__version__, 'threads': 1}
        report = {**machine, 'batch': BATCH, 'rounds': args.rounds, 'networks': results}
        args.json.write_text(json.dumps(report, indent=2) + '\n', encoding='utf-8')


if __name__ == '__main__':
    main()
