"""Scale-decoupled distillation (Wei et al. 2024), on KD and on DKD."""

from __future__ import annotations

from typing import Any

from icckd_mm.compose.pairing import labels_of, last_maps
from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import (
    DKD_BETA_DEFAULT,
    DKD_BETA_IMAGENET,
    SDD_BETA,
    SDD_SIDES,
    SDD_SIDES_DEFAULT,
    by_pair,
    warmup_epochs,
)


def sdd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 0.1 and 0.9 T^2 KL of each region at T = 4, on ImageNet as well; regions by pair."""
    parts = Parts(ce_weight=0.1)
    _add(parts, pair, 'loss_sdd', dict(type='icckd_mm.SDDKLDivergence', tau=4.0, loss_weight=0.9))
    return parts


def dkd_sdd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 1, alpha 1, beta by pair as in DKD, T = 4 and a warm-up of 20 epochs; on ImageNet T = 1 and a warm-up of 1."""
    cifar = pair.recipe == 'cifar'
    beta = by_pair(SDD_BETA, pair, DKD_BETA_DEFAULT if cifar else DKD_BETA_IMAGENET)
    warmup = dict(type='icckd_mm.DistillWeightHook', losses=['loss_sdd'], schedule='warmup', epochs=warmup_epochs(pair))
    parts = Parts(ce_weight=1.0, hooks=[warmup])
    _add(parts, pair, 'loss_sdd', dict(type='icckd_mm.SDDDKDLoss', tau=4.0 if cifar else 1.0, alpha=1.0, beta=beta))
    return parts


def _add(parts: Parts, pair: Pair, name: str, loss: dict[str, Any]) -> None:
    """Add a loss that compares regions of the last maps, each by its own network's classifier."""
    student, teacher = last_maps(pair, 'sdd')
    sides = by_pair(SDD_SIDES, pair, SDD_SIDES_DEFAULT)
    parts.add(
        name,
        dict(loss, grids=list(sides)),
        s_feature=parts.student('maps', student),
        s_centers=parts.student_parameter('centers', f'{pair.student.logits.source}.weight'),
        s_bias=parts.student_parameter('bias', f'{pair.student.logits.source}.bias'),
        t_feature=parts.teacher('maps', teacher),
        t_centers=parts.teacher_parameter('centers', f'{pair.teacher.logits.source}.weight'),
        t_bias=parts.teacher_parameter('bias', f'{pair.teacher.logits.source}.bias'),
        gt_labels=parts.student('labels', labels_of(pair, 'sdd')),
    )
