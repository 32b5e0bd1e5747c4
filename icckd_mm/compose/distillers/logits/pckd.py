"""Category-centre contrast with preview weights (Ding et al. 2025)."""

from __future__ import annotations

from icckd_mm.compose.pairing import labels_of
from icckd_mm.compose.parts import Pair, Parts

VIEWS = 4  # each image is turned by 0, 90, 180 and 270 degrees


def pckd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1 and four losses in the published weights of wrn40-2 to wrn16-2, that of the KL is ours; one view, which is ours."""
    return _pckd(pair, 1)


def pckd_4rot(pair: Pair, beside: frozenset[str]) -> Parts:
    """The published form: four rotations, at four times the cost; cross-entropy and soft labels see the upright view only."""
    parts = _pckd(pair, VIEWS)
    parts.architecture = dict(head=dict(loss=dict(type='icckd_mm.FirstViewCrossEntropyLoss')))
    parts.config = dict(data_preprocessor=dict(type='icckd_mm.RotationDataPreprocessor'))
    return parts


def _pckd(pair: Pair, views: int) -> Parts:
    student, teacher = pair.student, pair.teacher
    turned = {} if views == 1 else dict(num_rotations=views)
    parts = Parts(ce_weight=1.0)
    parts.connectors['mlp'] = dict(type='icckd_mm.MLPConnector', in_dims=student.pooled.width, out_dims=teacher.pooled.width)
    s_logits, s_labels = parts.student('logits', student.logits), parts.student('labels', labels_of(pair, 'pckd'))
    s_centers = parts.student_parameter('centers', f'{student.logits.source}.weight')
    t_centers = parts.teacher_parameter('centers', f'{teacher.logits.source}.weight')
    parts.add(
        'loss_cc',
        dict(
            type='icckd_mm.CategoryCenterContrastiveLoss',
            student_dims=student.pooled.width,
            teacher_dims=teacher.pooled.width,
            loss_weight=0.05,
            **turned,
        ),
        s_feature=parts.student('pooled', student.pooled),
        s_centers=s_centers,
        t_centers=t_centers,
        preds_S=s_logits,
        gt_labels=s_labels,
    )
    if student.pooled.width == teacher.pooled.width:  # centres of two widths cannot be compared
        parts.add(
            'loss_ca',
            dict(type='icckd_mm.CenterAlignmentLoss', loss_weight=1.0),
            s_centers=s_centers,
            s_bias=parts.student_parameter('bias', f'{student.logits.source}.bias'),
            t_centers=t_centers,
            t_bias=parts.teacher_parameter('bias', f'{teacher.logits.source}.bias'),
        )
    parts.add(
        'loss_fa',
        dict(type='icckd_mm.FeatureAlignmentLoss', loss_weight=20.0),
        s_feature=parts.student('pooled', student.pooled, 'mlp'),
        t_feature=parts.teacher('pooled', teacher.pooled),
    )
    parts.add(
        'loss_kd',
        dict(type='icckd_mm.PreviewKLDivergence', loss_weight=0.9, **turned),
        preds_S=s_logits,
        preds_T=parts.teacher('logits', teacher.logits),
        gt_labels=s_labels,
    )
    return parts
