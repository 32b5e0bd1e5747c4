"""The teacher's decisions as labels (Touvron et al. 2021)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts


def hard_label(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 0.5 and 0.5 to the class that the teacher decides for, as DeiT without a distillation token."""
    parts = Parts(ce_weight=0.5)
    parts.add(
        'loss_hard',
        dict(type='icckd_mm.HardLabelLoss', loss_weight=0.5),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts
