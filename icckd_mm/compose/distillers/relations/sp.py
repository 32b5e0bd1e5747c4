"""Similarity-preserving distillation (Tung and Mori 2019)."""

from __future__ import annotations

from icckd_mm.compose.pairing import last_stages
from icckd_mm.compose.parts import Pair, Parts


def sp(pair: Pair, beside: frozenset[str]) -> Parts:
    """Weight 3000 between the outputs of the last stages, as in the benchmark."""
    student, teacher = last_stages(pair, 'sp')
    parts = Parts()
    parts.add(
        'loss_sp',
        dict(type='icckd_mm.SPLoss', loss_weight=3000.0),
        s_feature=parts.student(f'stage{len(pair.student.stages)}', student),
        t_feature=parts.teacher(f'stage{len(pair.teacher.stages)}', teacher),
    )
    return parts
