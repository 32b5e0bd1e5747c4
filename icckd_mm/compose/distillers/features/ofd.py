"""Overhaul of feature distillation (Heo et al. 2019)."""

from __future__ import annotations

from icckd_mm.compose.layers import Layer
from icckd_mm.compose.pairing import paired_stages
from icckd_mm.compose.parts import Pair, Parts

DIVISOR = {('resnet50', 'mobilenetv1'): 10}  # the benchmark weighs this pair with 1e-4, all others with 1e-3


def ofd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Maps before the ReLU of every stage, the teacher's above its margin; weight 1e-3, halved from stage to stage; CE 1.

    The factor 1e-3 is mmrazor's own. A student's map of another size passes the benchmark's regressor, which is our choice.
    """
    stages = paired_stages(pair, 'ofd')
    weight = 1.0 / DIVISOR.get(pair.names or ('', ''), 1)
    parts = Parts()
    for number, (student, teacher) in enumerate(stages, 1):
        if student.before_relu is None or teacher.before_relu is None or teacher.norm is None:
            raise ValueError(
                'ofd needs maps before the ReLU of both networks and a batch norm of the teacher before it; '
                f'stage {number} has none'
            )
        parts.connectors[f'ofd_student{number}'] = _regressor(student.before_relu, teacher.before_relu)
        parts.connectors[f'ofd_margin{number}'] = dict(type='icckd_mm.OFDMarginConnector', norm=teacher.norm)
        parts.add(
            f'loss_ofd{number}',
            dict(type='OFDLoss', loss_weight=weight / 2 ** (len(stages) - number)),
            s_feature=parts.student(f'preact{number}', student.before_relu, f'ofd_student{number}'),
            t_feature=parts.teacher(f'preact{number}', teacher.before_relu, f'ofd_margin{number}'),
        )
    return parts


def _regressor(student: Layer, teacher: Layer) -> dict:
    if student.shape[1:] != teacher.shape[1:]:
        shapes = dict(s_shape=list(student.shape), t_shape=list(teacher.shape))
        return dict(type='icckd_mm.ConvRegConnector', **shapes, relu=False)
    widths = dict(in_channel=student.width, out_channel=teacher.width)
    return dict(type='ConvModuleConnector', **widths, norm_cfg=dict(type='BN'), act_cfg=None)
