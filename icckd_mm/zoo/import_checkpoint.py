"""Converts checkpoints of mdistiller, RepDistiller and torchvision to checkpoints of mmpretrain classifiers."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path
from typing import Any

import torch
from mmpretrain.registry import MODELS
from torch import Tensor

from icckd_mm.compat.safe_load import load_checkpoint_safely
from icckd_mm.config.building import check_sizes
from icckd_mm.engine.exact.atomic_backend import write_atomically
from icckd_mm.engine.loading.wrapped_names import without_wrappers

from .architectures import Architecture, find_architecture


def import_checkpoint(
    src: str | os.PathLike[str], out: str | os.PathLike[str], arch: str, source: str = 'auto', force: bool = False
) -> dict[str, Any]:
    """Write the network of a foreign checkpoint as ``{'meta', 'state_dict'}`` for an mmpretrain ``ImageClassifier``.

    ``meta`` has ``source``, ``arch``, ``num_classes`` and, under ``model``, the config to build the classifier with. A
    checkpoint of mdistiller that holds student and teacher gives the student.

    Args:
        src: Checkpoint of mdistiller, RepDistiller (``{'model': ...}``) or torchvision (a plain state dict).
        out: File to write; its folder is made if needed.
        arch: Name of the network at its source, in any case, such as ``'resnet32x4'``.
        source: ``'mdistiller'``, ``'repdistiller'``, ``'torchvision'``, or ``'auto'``, which decides by the file's keys.
            Defaults to 'auto'.
        force: Whether an ``out`` that exists is replaced. Defaults to False.

    Returns:
        ``meta`` as written.

    Raises:
        FileExistsError: If ``out`` exists and ``force`` is not set.
        FileNotFoundError: If ``src`` does not exist.
        ValueError: If name or source is unknown, or if the file is not a checkpoint of this network.
    """
    src, out = Path(src), Path(out)
    find_architecture(arch, source)  # fail on a wrong name before loading
    if out.exists() and not force:
        raise FileExistsError(f'{out} exists; --force replaces it')
    state = load_state(src)
    network = find_architecture(arch, source, state)
    num_classes = count_classes(src, state, network)
    config = network.config(num_classes)
    state = fit(src, state, network, config)
    if source == 'auto':
        source = 'torchvision' if network.family == 'torchvision' else 'mdistiller or repdistiller'
    meta = {'source': source, 'arch': network.name, 'num_classes': num_classes, 'model': config}
    content = io.BytesIO()
    torch.save({'meta': meta, 'state_dict': state}, content)
    write_atomically(out, content.getvalue())
    return meta


def load_state(src: Path) -> dict[str, Tensor]:
    """The tensors of a file by name, without the wrappers of DataParallel and mdistiller."""
    try:
        state = load_checkpoint_safely(src, map_location='cpu')
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise ValueError(str(error)) from None
    for wrapping in ('model', 'state_dict'):
        if isinstance(state, dict) and isinstance(state.get(wrapping), dict):
            state = state[wrapping]
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{src} holds no state dict: it must be a dict of tensors, or have one under 'model'")
    state = without_wrappers({str(key): value for key, value in state.items()})
    check_sizes(state, src)
    student = {key[len('student.') :]: value for key, value in state.items() if key.startswith('student.')}
    return student or state


def count_classes(src: Path, state: dict[str, Tensor], network: Architecture) -> int:
    """Number of rows of the last layer."""
    key = f'{network.classifier}.weight'
    if key not in state:
        raise ValueError(f'{src} is not a {network.name} of the {network.family}: {key} is missing, its last layer')
    if state[key].ndim != 2 or not len(state[key]):
        raise ValueError(f'{src}: number of classes unknown, since {key} has the shape {tuple(state[key].shape)}')
    return len(state[key])


def fit(src: Path, state: dict[str, Tensor], network: Architecture, config: dict[str, Any]) -> dict[str, Tensor]:
    """The state under the names of the classifier; raises unless all names and shapes match."""
    theirs = {network.rename(key): key for key in state}
    wanted = MODELS.build(config).state_dict()
    missing = [key for key in wanted if key not in theirs]
    # Files from before PyTorch 0.4.1 have no batch counters; only a cumulative average needs them.
    counters = {key: torch.tensor(0) for key in missing if key.endswith('.num_batches_tracked')}
    faults = [
        *_listed('missing', [key for key in missing if key not in counters]),
        *_listed('surplus', [key for name, key in theirs.items() if name not in wanted]),
        *_listed(
            'of another shape',
            [
                f'{key} {tuple(state[key].shape)} for {tuple(wanted[name].shape)}'
                for name, key in theirs.items()
                if name in wanted and state[key].shape != wanted[name].shape
            ],
        ),
    ]
    if faults:
        raise ValueError(f'{src} is not a {network.name} of the {network.family}: {"; ".join(faults)}')
    return {name: counters[name] if name in counters else state[theirs[name]] for name in wanted}


def _listed(fault: str, keys: list[str]) -> list[str]:
    if not keys:
        return []
    more = f' and {len(keys) - 3} more' if len(keys) > 3 else ''
    return [f'{fault}: {", ".join(keys[:3])}{more}']
