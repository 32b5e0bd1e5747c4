"""Soft labels as cross-entropy (Hinton et al. 2015)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts


def soft_ce(pair: Pair, beside: frozenset[str]) -> Parts:
    """The settings of KD with the cross-entropy instead of the KL: the same gradient, a value that does not go to 0."""
    ce, soft, tau = (0.1, 0.9, 4.0) if pair.recipe == 'cifar' else (0.5, 0.5, 1.0)
    parts = Parts(ce_weight=ce)
    parts.add(
        'loss_soft_ce',
        dict(type='icckd_mm.KDSoftCELoss', tau=tau, loss_weight=soft),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts
