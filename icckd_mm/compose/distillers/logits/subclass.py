"""Pseudo-subclasses of the teacher's classes (after Müller et al. 2020, Loo et al. 2024)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts

SUBCLASSES = 5


def subclass(pair: Pair, beside: frozenset[str]) -> Parts:
    """``0.1 CE + 0.9 T^2 KL`` between 5 subclasses per class, found by k-means, at T = 4; the weights of KD, our choice."""
    return _subclass(pair, 'kmeans')


def lelp(pair: Pair, beside: frozenset[str]) -> Parts:
    """As ``subclass``, with 5 subclasses along the principal directions of each class instead of k-means."""
    return _subclass(pair, 'pca')


def _subclass(pair: Pair, how: str) -> Parts:
    if pair.student.logits.source != 'head.fc':
        raise ValueError(
            f'subclass needs a student with a LinearClsHead, whose logits come from head.fc, not {pair.student.logits.source}'
        )
    parts = Parts(
        ce_weight=0.1,
        architecture=dict(head=dict(type='icckd_mm.SubclassClsHead', subclasses=SUBCLASSES)),
        hooks=[dict(type='icckd_mm.SubclassHook')],
    )
    loss = dict(
        type='icckd_mm.SubclassKLLoss',
        num_classes=pair.teacher.num_classes,
        subclasses=SUBCLASSES,
        feat_dims=pair.teacher.pooled.width,
        how=how,
        tau=4.0,
        loss_weight=0.9,
    )
    parts.add(
        'loss_subclass',
        loss,
        preds_S=parts.student('subclass_logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
        features_T=parts.teacher('pooled', pair.teacher.pooled),
    )
    return parts
