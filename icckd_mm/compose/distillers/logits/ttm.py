"""Transformed teacher matching (Zheng and Yang 2024), without and with weights of images."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import TTM, TTM_DEFAULT, WTTM_BESIDE_CRD, WTTM_DEFAULT, Transformed, by_pair

BESIDE_CRD = Transformed(0.2, 4)  # published for vgg13 to vgg8; for other pairs our choice


def ttm(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1; exponent 0.1 and weight 45, published for vgg13 to vgg8, our choice elsewhere."""
    return _parts(pair, 'loss_ttm', by_pair(TTM, pair, TTM_DEFAULT), False)


def wttm(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1; exponent 0.1 and weight 4, our choice; exponent 0.2 beside CRD, published for vgg13 to vgg8."""
    setting = by_pair(WTTM_BESIDE_CRD, pair, BESIDE_CRD) if beside == {'crd'} else WTTM_DEFAULT
    return _parts(pair, 'loss_wttm', setting, True)


def _parts(pair: Pair, name: str, setting: Transformed, weighted: bool) -> Parts:
    parts = Parts(ce_weight=1.0)
    parts.add(
        name,
        dict(
            type='icckd_mm.TransformedTeacherLoss',
            gamma=setting.gamma,
            weighted=weighted,
            loss_weight=float(setting.beta),
        ),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts
