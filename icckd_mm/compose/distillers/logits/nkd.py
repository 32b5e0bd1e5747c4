"""Normalised knowledge distillation (Yang et al. 2023)."""

from __future__ import annotations

from icckd_mm.compose.pairing import labels_of
from icckd_mm.compose.parts import Pair, Parts


def nkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1; T = 1 and weight 1.5 of the other classes as published for ImageNet, T = 4 elsewhere, which is our choice."""
    parts = Parts(ce_weight=1.0)
    parts.add(
        'loss_nkd',
        dict(type='icckd_mm.NKDLoss', tau=4.0 if pair.recipe == 'cifar' else 1.0, gamma=1.5),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
        gt_labels=parts.student('labels', labels_of(pair, 'nkd')),
    )
    return parts
