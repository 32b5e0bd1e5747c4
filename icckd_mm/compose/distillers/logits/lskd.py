"""Logit standardisation (Sun et al. 2024), on KD and on DKD."""

from __future__ import annotations

from icckd_mm.compose.pairing import labels_of
from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import DKD_LSKD, DKD_LSKD_DEFAULT, LSKD, LSKD_DEFAULT, by_pair, warmup_epochs


def lskd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Base temperature and weight by pair; CE 0.1 on CIFAR, 1 on ImageNet."""
    setting = by_pair(LSKD, pair, LSKD_DEFAULT)
    parts = Parts(ce_weight=0.1 if pair.recipe == 'cifar' else 1.0)
    parts.add(
        'loss_lskd',
        dict(type='icckd_mm.KLDivergence', tau=float(setting.tau), loss_weight=float(setting.weight), standardize=True),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts


def dkd_lskd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1 and DKD's warm-up; the weight by pair multiplies alpha and beta, as published."""
    setting = by_pair(DKD_LSKD, pair, DKD_LSKD_DEFAULT)
    loss = dict(type='icckd_mm.DKDLoss', tau=float(setting.tau), alpha=1.0, beta=float(setting.beta))
    parts = Parts(
        ce_weight=1.0,
        hooks=[dict(type='icckd_mm.DistillWeightHook', losses=['loss_dkd'], schedule='warmup', epochs=warmup_epochs(pair))],
    )
    parts.add(
        'loss_dkd',
        dict(loss, loss_weight=float(setting.weight), standardize=True),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
        gt_labels=parts.student('labels', labels_of(pair, 'dkd-lskd')),
    )
    return parts
