"""Factor transfer (Kim et al. 2018), in two stages."""

from __future__ import annotations

from icckd_mm.compose.distillers.features.ab import PRETRAIN
from icckd_mm.compose.layers import Layer
from icckd_mm.compose.pairing import paired_stages
from icckd_mm.compose.parts import Pair, Parts

RATE = 2  # the teacher's channels over the factor's


def ft_pretrain(pair: Pair, beside: frozenset[str]) -> Parts:
    """First stage: a paraphraser rebuilds the teacher's last maps from half as many channels; no student.

    The benchmark trains 30 epochs at the learning rate 0.01.
    """
    _, teacher = _last_maps(pair)
    parts = Parts(
        connectors=dict(paraphraser=_paraphraser(teacher, 'pretrain')),
        algorithm=dict(calculate_student_loss=False, student_trainable=False),
        config=dict(find_unused_parameters=True, **PRETRAIN),  # the whole student
    )
    stage = f'stage{len(pair.teacher.stages)}'
    parts.add(
        'loss_rebuild',
        dict(type='icckd_mm.L2Loss', normalize=False, div_element=True),
        s_feature=parts.teacher(stage, teacher, 'paraphraser'),
        t_feature=parts.teacher(stage, teacher),
    )
    return parts


def ft(pair: Pair, beside: frozenset[str]) -> Parts:
    """Second stage: 200 times the difference of the student's translated and the teacher's paraphrased maps; CE 1."""
    student, teacher = _last_maps(pair)
    parts = Parts(
        connectors=dict(
            translator=dict(type='Translator', in_channel=student.width, out_channel=teacher.width // RATE),
            paraphraser=_paraphraser(teacher, 'train'),
        ),
        config=dict(find_unused_parameters=True),  # the paraphraser gets no gradient
        starts_from=dict(distiller='ft-pretrain'),
    )
    stage = f'stage{len(pair.teacher.stages)}'
    parts.add(
        'loss_ft',
        dict(type='icckd_mm.FTLoss', loss_weight=200.0),
        s_feature=parts.student(stage, student, 'translator'),
        t_feature=parts.teacher(stage, teacher, 'paraphraser'),
    )
    return parts


def _last_maps(pair: Pair) -> tuple[Layer, Layer]:
    student, teacher = paired_stages(pair, 'ft')[-1]
    return student.output, teacher.output


def _paraphraser(teacher: Layer, phase: str) -> dict:
    return dict(type='Paraphraser', phase=phase, in_channel=teacher.width, out_channel=teacher.width // RATE)
