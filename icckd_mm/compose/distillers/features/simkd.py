"""Simple knowledge distillation with the teacher's classifier (Chen et al. 2022)."""

from __future__ import annotations

from icckd_mm.compose.layers import Layer
from icckd_mm.compose.pairing import last_maps
from icckd_mm.compose.parts import Pair, Parts

FACTOR = 2  # the published table's best; 4 and 8 give smaller projectors


def simkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Maps that are pooled, without labels; the student gets a projector and the teacher's classifier.

    The projector follows the student's backbone. The published code reads the last stage instead, which for ShuffleNetV2 and
    MobileNetV2 is before their last convolution.
    """
    student, teacher = last_maps(pair, 'simkd')
    if teacher.width != pair.teacher.pooled.width:
        raise ValueError(
            f'simkd copies a classifier that reads the average of a map; the teacher pools {teacher.width} channels, but its '
            f'classifier reads {pair.teacher.pooled.width} features'
        )
    neck = dict(type='icckd_mm.SimKDNeck', in_channels=student.width, teacher_channels=teacher.width, factor=FACTOR)
    if max(student.shape[1:]) > max(teacher.shape[1:]):
        neck['max_side'] = max(teacher.shape[1:])
    side = [min(sides) for sides in zip(student.shape[1:], teacher.shape[1:])]
    projected = Layer('neck.projector', False, (teacher.width, *side))
    parts = Parts(
        algorithm=dict(type='icckd_mm.ReusedClassifierDistill'),
        architecture=dict(neck=dict(_delete_=True, **neck), head=dict(in_channels=teacher.width)),
    )
    parts.add(
        'loss_simkd',
        dict(type='icckd_mm.SimKDLoss', loss_weight=1.0),
        s_feature=parts.student('projected', projected),
        t_feature=parts.teacher('last_map', teacher),
    )
    return parts
