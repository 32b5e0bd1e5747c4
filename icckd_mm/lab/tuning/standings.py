"""Who takes part in which rung of a tuning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState

from icckd_mm.lab.tuning.budget import Plan, search_levels
from icckd_mm.lab.tuning.candidate import CONTROL, Candidate
from icckd_mm.lab.tuning.search_space import candidate_of
from icckd_mm.lab.tuning.setting import Setting


@dataclass(frozen=True)
class Rung:
    """Candidates that are trained for the same number of epochs with the same seeds.

    Attributes:
        level: The runs last ``3**-level`` of the configs' epochs.
        seeds: Seeds of each; different in all rungs, so that luck is not carried over.
        candidates: The control and the others.
    """

    level: int
    seeds: tuple[int, ...]
    candidates: tuple[Candidate, ...]


def search_rungs(trials: Sequence[FrozenTrial], plan: Plan, setting: Setting) -> list[Rung]:
    """The rungs of the search.

    Args:
        trials: All trials.
        plan: The plan.
        setting: The settings.
    """
    begun = [trial for trial in trials if trial.number == CONTROL or len(trial.params) == len(setting.default)]
    rungs = []
    for index, level in enumerate(search_levels(plan, setting.deepest)):
        took_part = [
            trial
            for trial in begun
            if len(trial.intermediate_values) > index
            or (len(trial.intermediate_values) == index and trial.state in (TrialState.FAIL, TrialState.RUNNING))
        ]
        candidates = tuple(candidate_of(trial, setting.default) for trial in took_part)
        rungs.append(Rung(level, (setting.seed + index,), candidates))
    return rungs


def final_rung(trials: Sequence[FrozenTrial], plan: Plan, setting: Setting) -> Rung:
    """The control and the best candidates of the search, with seeds that the search has not used.

    Args:
        trials: All trials.
        plan: The plan.
        setting: The settings.

    Returns:
        Its candidates are those that reached the longest runs of the search, the best first; the lower number wins a tie.
    """
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED) and trial.number != CONTROL]
    ranked = sorted(
        ended, key=lambda trial: (-len(trial.intermediate_values), -list(trial.intermediate_values.values())[-1], trial.number)
    )
    best = [candidate_of(trial, setting.default) for trial in (trials[CONTROL], *ranked[: plan.finalists])]
    first = setting.seed + len(search_levels(plan, setting.deepest))
    return Rung(plan.top, tuple(range(first, first + setting.most[1])), tuple(best))
