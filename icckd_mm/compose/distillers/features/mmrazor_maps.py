"""mmrazor's distillers of the last maps, made for detection and segmentation, with its weights."""

from __future__ import annotations

from icckd_mm.compose.pairing import last_maps
from icckd_mm.compose.parts import Pair, Parts


def cwd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Channel-wise divergence (Shu et al. 2021) with weight 1 at T = 1."""
    return _equal_maps(pair, 'cwd', dict(type='icckd_mm.ChannelWiseDivergence', tau=1.0, loss_weight=1.0))


def pkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Pearson correlation of maps (Cao et al. 2022) with weight 1."""
    return _equal_maps(pair, 'pkd', dict(type='PKDLoss', loss_weight=1.0))


def mgd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Masked generation (Yang et al. 2022): a sum over places and channels, hence the weight of 7e-5."""
    student, teacher = last_maps(pair, 'mgd')
    parts = Parts(
        connectors=dict(
            mgd=dict(type='MGDConnector', student_channels=student.width, teacher_channels=teacher.width, lambda_mgd=0.15)
        )
    )
    parts.add(
        'loss_mgd',
        dict(type='MGDLoss', alpha_mgd=0.00007),
        preds_S=parts.student('maps', student, 'mgd'),
        preds_T=parts.teacher('maps', teacher),
    )
    return parts


def fbkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """Attention, pooled maps and relations of places (Zhang and Ma 2021).

    The teacher's non-local block is trained as well, so the part of the relations can fall on its side.
    """
    student, teacher = last_maps(pair, 'fbkd', same=True)
    parts = Parts(
        connectors=dict(
            fbkd_student=dict(type='FBKDStudentConnector', in_channels=student.width, reduction=4),
            fbkd_teacher=dict(type='FBKDTeacherConnector', in_channels=teacher.width, reduction=4),
        )
    )
    parts.add(
        'loss_fbkd',
        dict(type='FBKDLoss'),
        s_input=parts.student('maps', student, 'fbkd_student'),
        t_input=parts.teacher('maps', teacher, 'fbkd_teacher'),
    )
    return parts


def _equal_maps(pair: Pair, method: str, loss: dict) -> Parts:
    student, teacher = last_maps(pair, method, same=True)
    parts = Parts()
    parts.add(f'loss_{method}', loss, preds_S=parts.student('maps', student), preds_T=parts.teacher('maps', teacher))
    return parts
