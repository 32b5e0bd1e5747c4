"""Size of a network and cost of one image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.analysis import FlopAnalyzer


def complexity(model: torch.nn.Module, shape: Sequence[int]) -> dict[str, int]:
    """Parameters and FLOPs (multiply-adds, as OpenMMLab counts them) for one image of a shape ``(C, H, W)``.

    A projector of SimKD, which a student keeps from its distillation, is also counted alone.
    """
    image = torch.zeros(1, *shape)
    counter = FlopAnalyzer(model, (image,)).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    sizes = {'FLOPs': int(counter.total()), 'Parameters': _parameters(model)}
    projector = getattr(getattr(model, 'neck', None), 'projector', None)
    if isinstance(projector, torch.nn.Module):
        sizes['Projector FLOPs'] = int(counter.by_module()['neck.projector'])
        sizes['Projector Parameters'] = _parameters(projector)
    return sizes


def _parameters(model: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())
