"""Checks of a published folder: what a stranger would do with it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from mmengine.config import Config

Check = tuple[str, bool, str]


def verify(folder: str | os.PathLike[str]) -> list[Check]:
    """Hash, safe loading, mmpretrain's ``get_model``, a prediction, and the other formats.

    Args:
        folder (str | PathLike): What :func:`icckd_mm.zoo.publish.publish` wrote.

    Returns:
        list[Check]: Name of the check, whether it passed, and what was seen. A check that fails ends the list.

    Raises:
        ValueError: If the folder has no ``metafile.yml``.
    """
    folder = Path(folder)
    if not (folder / 'metafile.yml').is_file():
        raise ValueError(f'{folder} has no metafile.yml; it was not written by publish.py')
    (entry,) = yaml.safe_load((folder / 'metafile.yml').read_text(encoding='utf-8'))['Models']
    state: dict[str, Any] = {}
    checks: list[Check] = []
    for what, check in (
        ('hash', _hash),
        ('safe loading', _load),
        ('mmpretrain.get_model', _model),
        ('prediction', _predict),
        ('safetensors', _safetensors),
    ):
        try:
            detail = check(folder, entry, state)
        except Exception as error:  # whatever goes wrong for a stranger is a failed check
            checks.append((what, False, f'{type(error).__name__}: {error}'))
            break
        if detail:
            checks.append((what, True, detail))
    return checks


def first_image(model: torch.nn.Module, config: Config) -> torch.Tensor:
    """A preprocessed image ``(1, 3, H, W)`` of noise, of the size that the test pipeline gives."""
    size = int(config.get('test_dataloader', {}).get('dataset', {}).get('scale', 224))
    for step in config.get('test_dataloader', {}).get('dataset', {}).get('pipeline', []):
        size = int(np.max(step.get('crop_size') or step.get('scale') or size))
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))


def _hash(folder: Path, entry: dict[str, Any], state: dict[str, Any]) -> str:
    name = entry['Weights']
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    if not name.endswith(f'-{digest[:8]}.pth'):
        raise ValueError(f'{name} has the hash {digest[:8]}; the file was changed or damaged')
    return digest[:8]


def _load(folder: Path, entry: dict[str, Any], state: dict[str, Any]) -> str:
    state['checkpoint'] = torch.load(folder / entry['Weights'], map_location='cpu', weights_only=True)
    return f'{len(state["checkpoint"]["state_dict"])} tensors'


def _model(folder: Path, entry: dict[str, Any], state: dict[str, Any]) -> str:
    from mmpretrain import get_model

    model = get_model(str(folder / entry['Config']), pretrained=str(folder / entry['Weights']), device='cpu')
    stored = state['checkpoint']['state_dict']
    if model.state_dict().keys() != stored.keys():
        raise ValueError(f'keys differ: {sorted(model.state_dict().keys() ^ stored.keys())[:3]}')
    if not all(torch.equal(value, stored[name]) for name, value in model.state_dict().items()):
        raise ValueError('weights differ from those in the file')
    state['model'] = model
    return type(model.backbone).__name__


def _predict(folder: Path, entry: dict[str, Any], state: dict[str, Any]) -> str:
    from mmpretrain import ImageClassificationInferencer

    size = first_image(state['model'], state['model']._config).size(-1)
    (result,) = ImageClassificationInferencer(state['model'])(np.zeros((size, size, 3), dtype=np.uint8))
    return f'class {result.get("pred_class", result["pred_label"])}'


def _safetensors(folder: Path, entry: dict[str, Any], state: dict[str, Any]) -> str:
    path = folder / entry['Weights'].replace('.pth', '.safetensors')
    if not path.is_file():
        return ''
    from safetensors.torch import load_file

    stored = state['checkpoint']['state_dict']
    tensors = load_file(path)
    if tensors.keys() != stored.keys() or not all(torch.equal(value, stored[name]) for name, value in tensors.items()):
        raise ValueError(f'{path.name} differs from the .pth')
    return 'same tensors'
