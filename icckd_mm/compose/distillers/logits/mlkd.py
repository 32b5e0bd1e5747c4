"""Multi-level logits from a weak and a strong view (Jin et al. 2023), and plain KD of the same views to compare it with."""

from __future__ import annotations

from typing import Any

from icckd_mm.compose.distillers.logits.kd import kd
from icckd_mm.compose.parts import Pair, Parts
from icckd_mm.compose.published import (
    MLKD_480E_SCHEDULE,
    MLKD_480E_SCHEDULE_DEFAULT,
    MLKD_SCHEDULE,
    MLKD_SCHEDULE_DEFAULT,
    Schedule,
    by_pair,
)

VIEWS = 'weak_strong_views'  # suffix of the data set's part
EPOCHS = 240  # of the benchmark, to which published schedules belong; their milestones stay


def mlkd(pair: Pair, beside: frozenset[str]) -> Parts:
    """CE 0.1 for each view, divergences and correlations 0.9; 0.5 and 0.5 on ImageNet. Schedule of the authors by pair."""
    return _mlkd(pair, by_pair(MLKD_SCHEDULE, pair, MLKD_SCHEDULE_DEFAULT))


def mlkd_480e(pair: Pair, beside: frozenset[str]) -> Parts:
    """The longer schedule of the repository of logit standardisation, from which the published table comes."""
    return _mlkd(pair, by_pair(MLKD_480E_SCHEDULE, pair, MLKD_480E_SCHEDULE_DEFAULT))


def kd_2view(pair: Pair, beside: frozenset[str]) -> Parts:
    """KD on both views of MLKD as one batch, at its schedule: what views and length alone bring."""
    return _kd(pair, beside, by_pair(MLKD_SCHEDULE, pair, MLKD_SCHEDULE_DEFAULT))


def kd_2view_480e(pair: Pair, beside: frozenset[str]) -> Parts:
    """KD on both views of MLKD at its longer schedule."""
    return _kd(pair, beside, by_pair(MLKD_480E_SCHEDULE, pair, MLKD_480E_SCHEDULE_DEFAULT))


def _kd(pair: Pair, beside: frozenset[str], schedule: Schedule) -> Parts:
    parts = kd(pair, beside)
    parts.data, parts.config = VIEWS, _length(pair, schedule)
    return parts


def _length(pair: Pair, schedule: Schedule) -> dict[str, Any]:
    """Keys of the config that set a published schedule."""
    if pair.recipe != 'cifar' or pair.epochs != EPOCHS:
        return {}
    return dict(train_cfg=dict(max_epochs=schedule.epochs), optim_wrapper=dict(optimizer=dict(lr=schedule.lr)))


def _mlkd(pair: Pair, schedule: Schedule) -> Parts:
    cifar = pair.recipe == 'cifar'
    each, weight, first = (0.1, 0.9, 4.0) if cifar else (0.5, 0.5, 1.0)
    # the head averages over both views
    parts = Parts(ce_weight=2 * each, data=VIEWS, config=_length(pair, schedule))
    parts.add(
        'loss_mlkd',
        dict(type='icckd_mm.MultiLevelLogitLoss', taus=[first, 3.0, 5.0, 2.0, 6.0], loss_weight=weight),
        preds_S=parts.student('logits', pair.student.logits),
        preds_T=parts.teacher('logits', pair.teacher.logits),
    )
    return parts
