"""Contrast of regions of the last maps (after MSDCRD), our definition."""

from __future__ import annotations

from icckd_mm.compose.pairing import labels_of, last_maps
from icckd_mm.compose.parts import Pair, Parts


def ms(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1 and weight 1; regions are weighted by whether the teacher's classifier is right there. All settings are ours."""
    student, teacher = last_maps(pair, 'ms')
    parts = Parts(ce_weight=1.0)
    connector = None
    if student.width != teacher.width:
        connector = 'project'
        widths = dict(in_channel=student.width, out_channel=teacher.width)
        parts.connectors[connector] = dict(type='ConvModuleConnector', **widths, norm_cfg=dict(type='BN'), act_cfg=None)
    parts.add(
        'loss_ms',
        dict(type='icckd_mm.MultiScaleContrastiveLoss'),
        s_feature=parts.student('maps', student, connector),
        t_feature=parts.teacher('maps', teacher),
        t_centers=parts.teacher_parameter('centers', f'{pair.teacher.logits.source}.weight'),
        t_bias=parts.teacher_parameter('bias', f'{pair.teacher.logits.source}.bias'),
        gt_labels=parts.student('labels', labels_of(pair, 'ms')),
    )
    return parts
