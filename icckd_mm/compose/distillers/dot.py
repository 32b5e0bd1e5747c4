"""The distillation-oriented trainer (Zhao et al. 2023)."""

from __future__ import annotations

from icckd_mm.compose.distillers.logits.kd import kd
from icckd_mm.compose.parts import Pair, Parts


def dot(pair: Pair, beside: frozenset[str]) -> Parts:
    """Two momentum buffers, 0.075 (ImageNet: 0.09) apart from the momentum; with soft labels unless it stands beside others."""
    parts = Parts() if beside else kd(pair, beside)
    delta = 0.09 if pair.recipe == 'imagenet' else 0.075
    parts.config['optim_wrapper'] = dict(type='icckd_mm.DOTOptimWrapper', optimizer=dict(type='icckd_mm.DOTSGD', delta=delta))
    return parts
