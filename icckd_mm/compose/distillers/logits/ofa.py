"""One-for-all distillation across architectures (Hao et al. 2023)."""

from __future__ import annotations

from icckd_mm.compose.pairing import as_map, labels_of
from icckd_mm.compose.parts import Pair, Parts


def ofa(pair: Pair, beside: frozenset[str]) -> Parts:
    """The teacher's logits for the student's own and those of a head at each stage, all with weight 1; CE 1.

    Epsilon is 1, on ImageNet 1.5. Tokens are read as a map, which is our choice.
    """
    stages = pair.student.stages
    if not stages:
        raise ValueError('ofa puts a head on each stage of the student; no stage was found; use kd')
    eps = 1.5 if pair.recipe == 'imagenet' else 1.0
    loss = dict(type='icckd_mm.OFALoss', eps=eps, loss_weight=1.0)
    dim = max(pair.student.pooled.width, pair.teacher.pooled.width)
    parts = Parts(ce_weight=1.0)
    teacher = parts.teacher('logits', pair.teacher.logits)
    labels = parts.student('labels', labels_of(pair, 'ofa'))
    parts.add('loss_ofa', loss, preds_S=parts.student('logits', pair.student.logits), preds_T=teacher, gt_labels=labels)
    for number, stage in enumerate(stages, 1):
        layer = as_map(stage.output, 'student', 'ofa')
        parts.connectors[f'ofa{number}'] = dict(
            type='icckd_mm.OFAConvHead',
            in_channels=layer.width,
            downsamples=len(stages) - number,
            dim=dim,
            num_classes=pair.student.num_classes,
        )
        maps = parts.student(f'stage{number}', layer, f'ofa{number}')
        parts.add(f'loss_ofa{number}', dict(loss), preds_S=maps, preds_T=teacher, gt_labels=labels)
    return parts
