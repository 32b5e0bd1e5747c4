"""Decoupled distillation (Zhao et al. 2022)."""

from __future__ import annotations

from icckd_mm.compose.pairing import labels_of
from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import DKD_BETA, DKD_BETA_DEFAULT, DKD_BETA_IMAGENET, by_pair, warmup_epochs


def dkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1, alpha 1, beta by pair, T = 4 and a warm-up of 20 epochs; on ImageNet T = 1 and a warm-up of 1."""
    cifar = pair.recipe == 'cifar'
    beta = by_pair(DKD_BETA, pair, DKD_BETA_DEFAULT if cifar else DKD_BETA_IMAGENET)
    parts = Parts(
        ce_weight=1.0,
        hooks=[dict(type='icckd_mm.DistillWeightHook', losses=['loss_dkd'], schedule='warmup', epochs=warmup_epochs(pair))],
    )
    parts.add(
        'loss_dkd',
        dict(type='icckd_mm.DKDLoss', tau=4.0 if cifar else 1.0, alpha=1.0, beta=beta),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
        gt_labels=parts.student('labels', labels_of(pair, 'dkd')),
    )
    return parts
