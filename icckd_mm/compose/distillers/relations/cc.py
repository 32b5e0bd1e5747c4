"""Correlation congruence (Peng et al. 2019)."""

from __future__ import annotations

from icckd_mm.compose.parts import Pair, Parts

DIM = 128  # of the embeddings, as in the benchmark


def cc(pair: Pair, beside: frozenset[str]) -> Parts:
    """Weight 0.02 between trained linear embeddings of the pooled features in 128 dimensions, as in the benchmark."""
    parts = Parts(
        connectors={
            f'cc_{who}': dict(
                type='TorchNNConnector',
                module_name='Linear',
                module_args=dict(in_features=net.pooled.width, out_features=DIM),
            )
            for who, net in (('student', pair.student), ('teacher', pair.teacher))
        }
    )
    parts.add(
        'loss_cc',
        dict(type='icckd_mm.CCLoss', loss_weight=0.02),
        s_feature=parts.student('pooled', pair.student.pooled, 'cc_student'),
        t_feature=parts.teacher('pooled', pair.teacher.pooled, 'cc_teacher'),
    )
    return parts
