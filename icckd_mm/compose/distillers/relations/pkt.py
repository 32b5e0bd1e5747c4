"""Probabilistic knowledge transfer (Passalis and Tefas 2018)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts


def pkt(pair: Pair, beside: frozenset[str]) -> Parts:
    """Weight 30,000 between the pooled features, as in the benchmark."""
    parts = Parts()
    parts.add(
        'loss_pkt',
        dict(type='icckd_mm.PKTLoss', loss_weight=30000.0),
        s_feature=parts.student('pooled', pair.student.pooled),
        t_feature=parts.teacher('pooled', pair.teacher.pooled),
    )
    return parts
