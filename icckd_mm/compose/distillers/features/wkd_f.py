"""Wasserstein distillation of maps (Lv et al. 2024)."""

from __future__ import annotations

from icckd_mm.compose.pairing import last_stages
from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import WKD_BOTH, WKD_FEATURES, WKD_FEATURES_DEFAULT, by_pair, cosine_start


def wkd_f(pair: Pair, beside: frozenset[str]) -> Parts:
    """Maps of the last stages through the benchmark's regressor, at the settings of the pair or of both forms beside ``wkd``.

    The weight falls as half a cosine, from the published epoch to the end.
    """
    student, teacher = last_stages(pair, 'wkd-f')
    setting = by_pair(WKD_FEATURES, pair, WKD_FEATURES_DEFAULT)
    if 'wkd' in beside and pair.names in WKD_BOTH:
        setting = WKD_BOTH[pair.names][1]
    parts = Parts(
        connectors=dict(
            wkd=dict(type='icckd_mm.ConvRegConnector', s_shape=list(student.shape), t_shape=list(teacher.shape)),
        ),
        hooks=[
            dict(
                type='icckd_mm.DistillWeightHook',
                losses=['loss_wkd_f'],
                schedule='cosine',
                start=cosine_start(pair, setting.start),
            )
        ],
    )
    options = dict(grid=setting.grid, mean_ratio=setting.ratio, loss_weight=setting.weight)
    parts.add(
        'loss_wkd_f',
        dict(type='icckd_mm.WKDFeatureLoss', **options),
        s_feature=parts.student(f'stage{len(pair.student.stages)}', student, 'wkd'),
        t_feature=parts.teacher(f'stage{len(pair.teacher.stages)}', teacher),
    )
    return parts
