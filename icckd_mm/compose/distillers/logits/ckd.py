"""Sample-wise contrast of logits (Zhu et al. 2024)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import CKD, CKD_DEFAULT, by_pair


def ckd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1, weight and temperature by pair.

    The published batch of some pairs is 32, the published length 480 epochs with a cosine.
    """
    setting = by_pair(CKD, pair, CKD_DEFAULT)
    parts = Parts(ce_weight=1.0)
    parts.add(
        'loss_ckd',
        dict(type='icckd_mm.SampleWiseContrastiveLoss', temperature=float(setting.tau), loss_weight=float(setting.weight)),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts
