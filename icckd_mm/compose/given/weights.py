"""Weights that a teacher starts from, under the names of its classifier."""

from __future__ import annotations

import copy
from pathlib import Path

import torch
from torch import Tensor, nn

from icckd_mm.compose.given.networks import Network
from icckd_mm.compose.layers import NetworkLayers
from icckd_mm.engine.loading.weights_fit import load_and_compare
from icckd_mm.zoo.architectures import find_architecture
from icckd_mm.zoo.import_checkpoint import load_state

STUDENT = 'architecture.'


def starting_weights(file: Path, network: Network, model: nn.Module, layers: NetworkLayers) -> tuple[dict[str, Tensor], bool]:
    """The weights of a file that fit a network.

    Args:
        file: A checkpoint of mmpretrain, of this package, of timm or of torchvision; read without running code from it.
        network: The network.
        model: The same, built.
        layers: Its layers.

    Returns:
        Weights by the names of the classifier, and whether its last layer is among them; it is left out where the file has
        other classes.

    Raises:
        ValueError: If the file cannot be read, or lacks other weights than those of the last layer.
    """
    if not file.is_file():
        raise ValueError(f'the weights {file} do not exist; give a checkpoint')
    state = load_state(file)
    students = {key[len(STUDENT) :]: value for key, value in state.items() if key.startswith(STUDENT)}
    state = students or state
    if network.given.startswith('torchvision:'):
        architecture = find_architecture(network.given.partition(':')[2], 'torchvision')
        if f'{architecture.classifier}.weight' in state:
            state = {architecture.rename(key): value for key, value in state.items()}
    if network.given.startswith('timm:') and not any(key.startswith('model.') for key in state):
        state = {f'model.{key}': value for key, value in state.items()}
    last = layers.logits.source
    tried = copy.deepcopy(model)
    fit = load_and_compare(tried, state)
    faults = [key for key in (*fit.missing, *fit.misfits) if not _belongs(key, last)]
    if faults or not set(fit.given) & set(fit.wanted):
        raise ValueError(
            f'{file} is not {network.given}: {fit.faults() or "no weight has a name of this network"}; '
            'give the weights of this network, or another --teacher'
        )
    whole = not fit.missing and not fit.misfits
    return {key: value for key, value in tried.state_dict().items() if whole or not _belongs(key, last)}, whole


def _belongs(key: str, layer: str) -> bool:
    """Whether a weight is of the last layer."""
    return key.startswith(f'{layer}.')


def write_weights(state: dict[str, Tensor], file: Path) -> None:
    """Write weights as a checkpoint of mmengine, of plain containers and tensors."""
    torch.save({'meta': {}, 'state_dict': dict(state)}, file)
