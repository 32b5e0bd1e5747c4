"""Soft labels (Hinton et al. 2015)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts


def kd(pair: Pair, beside: frozenset[str]) -> Parts:
    """``0.1 CE + 0.9 T^2 KL`` at T = 4 on CIFAR, ``0.5 CE + 0.5 KL`` at T = 1 on ImageNet; 1 and 1 beside CRD, as published."""
    ce, soft, tau = (0.1, 0.9, 4.0) if pair.recipe == 'cifar' else (0.5, 0.5, 1.0)
    if beside == {'crd'}:
        ce = soft = 1.0
    parts = Parts(ce_weight=ce)
    parts.add(
        'loss_kl',
        dict(type='KLDivergence', tau=tau, reduction='batchmean', loss_weight=soft),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts
