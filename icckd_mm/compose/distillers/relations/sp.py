"""Similarity-preserving distillation (Tung and Mori 2019)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts


def sp(pair: Pair, beside: frozenset[str]) -> Parts:
    """Weight 3000 between the outputs of the last stages, as in the benchmark."""
    for who, net in (('student', pair.student), ('teacher', pair.teacher)):
        if not net.stages:
            raise ValueError(f'sp compares the outputs of the last stages; no stage of the {who} was found')
    parts = Parts()
    parts.add(
        'loss_sp',
        dict(type='icckd_mm.SPLoss', loss_weight=3000.0),
        s_feature=parts.student(f'stage{len(pair.student.stages)}', pair.student.stages[-1].output),
        t_feature=parts.teacher(f'stage{len(pair.teacher.stages)}', pair.teacher.stages[-1].output),
    )
    return parts
