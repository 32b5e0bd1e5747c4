"""Neuron selectivity transfer (Huang and Wang 2017)."""

from __future__ import annotations

from icckd_mm.compose.pairing import paired_stages
from icckd_mm.compose.parts import Pair, Parts


def nst(pair: Pair, beside: frozenset[str]) -> Parts:
    """Weight 50 between the outputs of all stages, as in the benchmark."""
    parts = Parts()
    for number, (student, teacher) in enumerate(paired_stages(pair, 'nst'), 1):
        parts.add(
            f'loss_nst{number}',
            dict(type='icckd_mm.NSTLoss', loss_weight=50.0),
            s_feature=parts.student(f'stage{number}', student.output),
            t_feature=parts.teacher(f'stage{number}', teacher.output),
        )
    return parts
