"""Universal self-knowledge distillation (Yang et al. 2023), which needs no teacher."""

from __future__ import annotations

from icckd_mm.compose.pairing import labels_of
from icckd_mm.compose.parts import Pair, Parts

WEAK_STAGE = -2  # the weak classifier reads the second-last stage


def uskd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1; 0.1, 0.1, 0.1 on CIFAR and 1, 0.1, 0.005 on ImageNet for the true class, the others and the weak classifier.

    Alone it is an algorithm without a teacher.
    """
    stages = pair.student.stages
    if len(stages) < -WEAK_STAGE or len(stages[WEAK_STAGE].output.shape) != 3:
        raise ValueError('uskd needs a map after the second-last stage; the student has none')
    weak = stages[WEAK_STAGE].output
    weights = (0.1, 0.1, 0.1) if pair.recipe == 'cifar' else (1.0, 0.1, 0.005)
    parts = Parts(ce_weight=1.0, algorithm={} if beside else dict(type='SelfDistill'))
    parts.add(
        'loss_uskd',
        dict(
            type='icckd_mm.USKDLoss',
            num_classes=pair.student.num_classes,
            in_channels=weak.width,
            **dict(zip(('alpha', 'beta', 'mu'), weights)),
        ),
        s_feature=parts.student(f'stage{len(stages) + WEAK_STAGE + 1}', weak),
        preds_S=parts.student('logits', pair.student.logits),
        gt_labels=parts.student('labels', labels_of(pair, 'uskd')),
    )
    return parts
