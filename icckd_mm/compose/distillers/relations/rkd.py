"""Relations between the pooled features of a batch (Park et al. 2019)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts


def rkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Distances with weight 25 and angles with weight 50, features not normalised, as in the benchmark."""
    parts = Parts()
    for name, kind, weight in (('loss_distance', 'DistanceWiseRKD', 25.0), ('loss_angle', 'AngleWiseRKD', 50.0)):
        parts.add(
            name,
            dict(type=f'icckd_mm.{kind}', loss_weight=weight, with_l2_norm=False),
            preds_S=parts.student('pooled', pair.student.pooled),
            preds_T=parts.teacher('pooled', pair.teacher.pooled),
        )
    return parts
