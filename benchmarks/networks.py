"""Cost of our networks, forward and backward, against the same architecture in plain PyTorch.

Both variants have the same weights. The plain one is the transcription used to test the importer; as usual in such code
its ReLUs work in place, and ours do not.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from mmpretrain.registry import MODELS
from torch import Tensor, nn

from benchmarks.measure import Case, Setting, aim, measure
from icckd_mm.models import backbones  # noqa: F401  # registers them
from icckd_mm.zoo.architectures import find_architecture
from tests.test_zoo.peer_networks import NETWORKS

MOST = 1.03


class Classifier(nn.Module):
    """An mmpretrain classifier from images to logits, without its training step."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        """Logits ``(B, C)``."""
        return self.model.head(self.model.extract_feat(images))


def tables(setting: Setting) -> list[dict[str, Any]]:
    """One table per network."""
    return [_table(arch, setting) for arch in (['resnet8'] if setting.quick else ['resnet8x4', 'wrn_16_2', 'vgg8'])]


def _step(model: nn.Module, images: Tensor, labels: Tensor) -> None:
    model.zero_grad()
    F.cross_entropy(model(images), labels).backward()


def _table(arch: str, setting: Setting) -> dict[str, Any]:
    torch.manual_seed(0)
    batch = 8 if setting.quick else 64
    network = find_architecture(arch)
    plain = NETWORKS[network.name]()
    ours = Classifier(MODELS.build(network.config(100)))
    ours.model.load_state_dict({network.rename(key): value for key, value in plain.state_dict().items()})
    images = torch.randn(batch, 3, 32, 32)
    labels = torch.randint(100, (batch,), device=setting.device)
    torch.testing.assert_close(ours(images), plain(images), rtol=1e-4, atol=1e-4)  # on the CPU: a GPU rounds to TF32
    images, plain, ours = images.to(setting.device), plain.to(setting.device), ours.to(setting.device)
    cases = {
        name: Case(partial(_step, model, images, labels), images=batch)
        for name, model in (('plain PyTorch', plain), ('ours', ours))
    }
    table = measure(f'Network, {network.name}, B={batch}', cases, setting, rounds=20)
    aim(table, 'ours / plain', table['rows']['ours']['ratio'], MOST)
    return table
