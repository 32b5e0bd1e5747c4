"""Variational information distillation (Ahn et al. 2019)."""

from __future__ import annotations

from icckd_mm.compose.pairing import paired_stages
from icckd_mm.compose.parts import Pair, Parts


def vid(pair: Pair, beside: frozenset[str]) -> Parts:
    """Weight 1 between the outputs of all stages, as in the benchmark."""
    parts = Parts()
    for number, (student, teacher) in enumerate(paired_stages(pair, 'vid'), 1):
        widths = dict(student_channels=student.output.width, teacher_channels=teacher.output.width)
        parts.add(
            f'loss_vid{number}',
            dict(type='icckd_mm.VIDLoss', **widths, loss_weight=1.0),
            s_feature=parts.student(f'stage{number}', student.output),
            t_feature=parts.teacher(f'stage{number}', teacher.output),
        )
    return parts
