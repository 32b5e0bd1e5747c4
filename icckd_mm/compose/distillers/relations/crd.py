"""Contrastive representation distillation (Tian et al. 2020)."""

from __future__ import annotations

from icckd_mm.compose.layers import Layer
from icckd_mm.compose.parts import Pair, Parts

NEGATIVES = 16384  # as published; fewer where the data set has fewer images


def crd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Weight 0.8 and 16,384 negatives between the pooled features in 128 dimensions."""
    parts = Parts(
        connectors={
            f'crd_{who}': dict(type='icckd_mm.CRDConnector', dim_in=net.pooled.width, dim_out=128)
            for who, net in (('student', pair.student), ('teacher', pair.teacher))
        }
    )
    negatives = min(NEGATIVES, pair.train_images // 2)
    parts.add(
        'loss_crd',
        dict(type='icckd_mm.CRDLoss', neg_num=negatives, sample_n=pair.train_images, loss_weight=0.8),
        s_feats=parts.student('pooled', pair.student.pooled, 'crd_student'),
        t_feats=parts.teacher('pooled', pair.teacher.pooled, 'crd_teacher'),
        data_samples=parts.student('data_samples', Layer('', True, (), data_idx=1)),
    )
    return parts
