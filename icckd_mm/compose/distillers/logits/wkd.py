"""Wasserstein distance between soft labels (Lv et al. 2024)."""

from __future__ import annotations

from icckd_mm.compose.pairing import labels_of
from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import WKD_BOTH, WKD_LOGITS, WKD_LOGITS_DEFAULT, by_pair, cosine_start


def wkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1, the true class as in NKD, the transport of the others at settings by pair or of both forms beside ``wkd-f``.

    The weight of the transport decays with a cosine over the last three eighths of the epochs, on ImageNet from the start.
    Distances between classes are those of the teacher's classifier; set ``distances`` to a file for those of its features.
    """
    setting = by_pair(WKD_LOGITS, pair, WKD_LOGITS_DEFAULT)
    if 'wkd-f' in beside and pair.names in WKD_BOTH:
        setting = WKD_BOTH[pair.names][0]
    start = cosine_start(pair, setting.start)
    decay = dict(type='icckd_mm.DistillWeightHook', losses=['loss_wkd'], schedule='cosine', start=start)
    parts = Parts(ce_weight=1.0, hooks=[decay])
    logits = dict(
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
        gt_labels=parts.student('labels', labels_of(pair, 'wkd')),
    )
    parts.add('loss_target', dict(type='icckd_mm.NKDLoss', gamma=0.0), **logits)
    parts.add(
        'loss_wkd',
        dict(
            type='icckd_mm.WassersteinLogitLoss',
            tau=float(setting.tau),
            sharpness=float(setting.sharpness),
            loss_weight=float(setting.gamma),
        ),
        **logits,
        t_centers=parts.teacher_parameter('centers', f'{pair.teacher.logits.source}.weight'),
    )
    return parts
