"""Foreign checkpoints, and what an imported one computes."""

import pytest
import torch
from mmpretrain.registry import MODELS

from icckd_mm.models import backbones  # noqa: F401  # registers them

from .peer_networks import NETWORKS, randomise


@pytest.fixture
def peer_file(tmp_path):
    """Writes the checkpoint of a transcribed network and gives its path and the network."""

    def write(arch, num_classes=10, wrap=lambda state: {'model': state}, size=32):
        torch.manual_seed(0)
        network = randomise(NETWORKS[arch](num_classes), size)
        torch.save(wrap(network.state_dict()), tmp_path / 'src.pth')
        return tmp_path / 'src.pth', network

    return write


@pytest.fixture
def classifier():
    """Builds what a checkpoint describes, from the checkpoint alone."""

    def load(path):
        checkpoint = torch.load(path, weights_only=True)
        model = MODELS.build(checkpoint['meta']['model'])
        model.load_state_dict(checkpoint['state_dict'], strict=True)
        model.eval()
        return lambda images: model.head(model.extract_feat(images)) if model.with_neck else model.extract_feat(images)[-1]

    return load
