"""Curriculum temperature (Li et al. 2023)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts


def ctkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """``0.1 CE + 0.9 T^2 KL`` with a learnt T, reversed in full from epoch 10; 1, 1 and epoch 5 on ImageNet."""
    ce, soft, ramp = (0.1, 0.9, 10) if pair.recipe == 'cifar' else (1.0, 1.0, 5)
    parts = Parts(ce_weight=ce)
    parts.add(
        'loss_ctkd',
        dict(type='icckd_mm.CurriculumKLDivergence', ramp=ramp, loss_weight=soft),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts
