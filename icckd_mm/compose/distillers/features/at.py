"""Attention transfer (Zagoruyko and Komodakis 2017)."""

from __future__ import annotations

from icckd_mm.compose.pairing import paired_stages
from icckd_mm.compose.parts import Pair, Parts


def at(pair: Pair, beside: frozenset[str]) -> Parts:
    """Weight 1000 after every stage, as in the benchmark; CE 1."""
    parts = Parts()
    for number, (student, teacher) in enumerate(paired_stages(pair, 'at'), 1):
        parts.add(
            f'loss_at{number}',
            dict(type='icckd_mm.ATLoss', loss_weight=1000.0),
            s_feature=parts.student(f'stage{number}', student.output),
            t_feature=parts.teacher(f'stage{number}', teacher.output),
        )
    return parts
