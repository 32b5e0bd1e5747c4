"""Hints (Romero et al. 2015)."""

from __future__ import annotations

from icckd_mm.compose.pairing import paired_stages
from icckd_mm.compose.parts import Pair, Parts

STAGE = 2  # the benchmark's hint is the second stage


def fitnet(pair: Pair, beside: frozenset[str]) -> Parts:
    """100 times the mean squared error after the second stage, through the benchmark's regressor; CE 1.

    A sum over the map instead of its mean weighs 82 to 1,311 times as much, and the regressor's channels die.
    """
    stages = paired_stages(pair, 'fitnet')
    if len(stages) < STAGE:
        raise ValueError(f'fitnet needs a map after the second stage; the networks have {len(stages)} stage')
    student, teacher = (stage.output for stage in stages[STAGE - 1])
    parts = Parts(
        connectors=dict(hint=dict(type='icckd_mm.ConvRegConnector', s_shape=list(student.shape), t_shape=list(teacher.shape)))
    )
    parts.add(
        'loss_hint',
        dict(type='icckd_mm.L2Loss', normalize=False, div_element=True, loss_weight=100.0),
        s_feature=parts.student(f'stage{STAGE}', student, 'hint'),
        t_feature=parts.teacher(f'stage{STAGE}', teacher),
    )
    return parts
