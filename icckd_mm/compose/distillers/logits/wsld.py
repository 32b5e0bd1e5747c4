"""Weighted soft labels (Zhou et al. 2021)."""

from __future__ import annotations

from icckd_mm.compose.pairing import labels_of
from icckd_mm.compose.parts import Pair, Parts


def wsld(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1 and weight 2.5 at T = 2 on ImageNet; 2.25 at T = 4 elsewhere, published for CIFAR-100 with other networks."""
    weight, tau = (2.25, 4.0) if pair.recipe == 'cifar' else (2.5, 2.0)
    parts = Parts(ce_weight=1.0)
    parts.add(
        'loss_wsld',
        dict(type='WSLD', tau=tau, loss_weight=weight, num_classes=pair.student.num_classes),
        student=parts.student('logits', pair.student.logits),
        teacher=parts.teacher('logits', pair.teacher.logits),
        gt_labels=parts.student('labels', labels_of(pair, 'wsld')),
    )
    return parts
