"""DIST (Huang et al. 2022)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts


def dist(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1 and weight 2 for correlations within and between classes; T = 4 on CIFAR, 1 on ImageNet."""
    parts = Parts(ce_weight=1.0)
    parts.add(
        'loss_dist',
        dict(
            type='DISTLoss',
            inter_loss_weight=1.0,
            intra_loss_weight=1.0,
            tau=4.0 if pair.recipe == 'cifar' else 1.0,
            loss_weight=2.0,
        ),
        logits_S=parts.student('logits', pair.student.logits),
        logits_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts
