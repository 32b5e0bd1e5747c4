"""Activation boundaries (Heo et al. 2019), in two stages."""

from __future__ import annotations

from icckd_mm.compose.pairing import paired_stages
from icckd_mm.compose.parts import Pair, Parts

PRETRAIN = dict(val_cfg=None, val_dataloader=None, val_evaluator=None, default_hooks=dict(checkpoint=dict(save_best=None)))
"""A first stage leaves a network that cannot classify."""


def ab_pretrain(pair: Pair, beside: frozenset[str]) -> Parts:
    """First stage: on which side of 0 the maps before the ReLU lie, at all stages; no labels.

    The last stage weighs 1, each one before half as much. Equal shapes are compared as they are, others pass the benchmark's
    regressor without ReLU. The benchmark trains 30 epochs at the student's learning rate.
    """
    stages = paired_stages(pair, 'ab')
    parts = Parts(
        algorithm=dict(calculate_student_loss=False),
        config=dict(find_unused_parameters=True, **PRETRAIN),  # the student's last layer gets no gradient
    )
    for number, (student, teacher) in enumerate(stages, 1):
        if student.before_relu is None or teacher.before_relu is None:
            raise ValueError(f'ab needs maps before the ReLU of both networks; stage {number} has none')
        shapes = list(student.before_relu.shape), list(teacher.before_relu.shape)
        connector = None
        if shapes[0] != shapes[1]:
            connector = f'boundary{number}'
            parts.connectors[connector] = dict(
                type='icckd_mm.ConvRegConnector', s_shape=shapes[0], t_shape=shapes[1], relu=False
            )
        parts.add(
            f'loss_ab{number}',
            dict(type='icckd_mm.ABLoss', loss_weight=1 / 2 ** (len(stages) - number)),
            s_feature=parts.student(f'preact{number}', student.before_relu, connector),
            t_feature=parts.teacher(f'preact{number}', teacher.before_relu),
        )
    return parts


def ab(pair: Pair, beside: frozenset[str]) -> Parts:
    """Second stage: labels alone, from the student that the first stage left."""
    return Parts(ce_weight=1.0, starts_from=dict(architecture='ab-pretrain'))
