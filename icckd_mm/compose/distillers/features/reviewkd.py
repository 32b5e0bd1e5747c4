"""Knowledge review (Chen et al. 2021)."""

from __future__ import annotations

from icckd_mm.compose.layers import Layer, Stage
from icckd_mm.compose.pairing import paired_stages
from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import REVIEWKD, REVIEWKD_DEFAULT, by_pair, warmup_epochs


def reviewkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Stages and pooled features at the weight of the pair, warmed up for 20 epochs (ImageNet: 1).

    The teacher's stages are those before the last ReLU, on ImageNet also the student's.
    """
    imagenet = pair.recipe == 'imagenet'
    stages = paired_stages(pair, 'reviewkd')
    students = [_level(student, before_relu=imagenet) for student, _ in stages] + [pair.student.pooled]
    teachers = [_level(teacher, before_relu=True) for _, teacher in stages] + [pair.teacher.pooled]
    if len(students) > 5:
        raise ValueError(f'reviewkd compares at most 4 stages and the pooled features; the networks have {len(stages)} stages')
    parts = Parts(
        hooks=[dict(type='icckd_mm.DistillWeightHook', losses=['loss_review'], schedule='warmup', epochs=warmup_epochs(pair))]
    )
    names = [f'review{number}' for number in range(1, len(students))] + ['pooled']
    arguments = {}
    for number, (name, student, teacher) in enumerate(zip(names, students, teachers), 1):
        arguments[f's{number}'] = parts.student(name, student)
        arguments[f't{number}'] = parts.teacher(name, teacher)
    widths = dict(student_channels=[x.width for x in students], teacher_channels=[x.width for x in teachers])
    weight = by_pair(REVIEWKD, pair, REVIEWKD_DEFAULT)
    parts.add('loss_review', dict(type='icckd_mm.ReviewKDLoss', **widths, loss_weight=weight), **arguments)
    return parts


def _level(stage: Stage, before_relu: bool) -> Layer:
    return stage.before_relu if before_relu and stage.before_relu is not None else stage.output
