"""The ranges that Optuna searches, and the check of values that come from a journal."""

from __future__ import annotations

import math
from collections.abc import Mapping

from optuna.distributions import FloatDistribution
from optuna.trial import BaseTrial, FrozenTrial

from icckd_mm.lab.tuning.candidate import CONTROL, Candidate, Values

RANGES = {'loss_weight': (0.002, 0.3), 'margin': (0.0, 0.9), 'temperature': (0.05, 0.5)}
LOGARITHMIC = ('loss_weight', 'temperature')
FIXED = 'fixed_params'  # Optuna's name for the values of an enqueued trial
Space = dict[str, FloatDistribution]


def search_space(default: Values) -> Space:
    """The ranges, widened to the values of the config.

    Args:
        default: Values of the config.

    Raises:
        ValueError: If a loss weight or temperature is not positive.
    """
    for name in LOGARITHMIC:
        if not 0 < default[name] < math.inf:
            raise ValueError(f'{name} of the loss must be positive and finite, got {default[name]}; correct it in the config')
    return {
        name: FloatDistribution(min(low, default[name]), max(high, default[name]), log=name in LOGARITHMIC)
        for name, (low, high) in RANGES.items()
    }


def candidate_of(trial: BaseTrial, default: Values) -> Candidate:
    """The candidate of a trial whose values have been suggested; drawn values keep three digits.

    Args:
        trial: A trial of the study.
        default: Values of the config.
    """
    if trial.number == CONTROL:
        return Candidate.control(default)
    if trial.params == default:
        return Candidate(trial.number, dict(default), is_default=True)
    return Candidate(trial.number, {name: float(f'{trial.params[name]:.3g}') for name in default})


def check_values(trial: FrozenTrial, space: Space) -> None:
    """Refuse a trial with values outside the search space; a journal may hold any.

    Raises:
        ValueError: If a value is unknown, not a number, or out of its range.
    """
    expected: Space = {} if trial.number == CONTROL else space
    fixed = trial.system_attrs.get(FIXED, {})
    given: list[tuple[str, object]] = [*trial.params.items()]
    given += [*fixed.items()] if isinstance(fixed, Mapping) else [(FIXED, fixed)]
    for name, value in given:
        if name not in expected:
            allowed = ', '.join(expected) or 'none, as it is the control'
            raise ValueError(f'trial {trial.number}: {name} is not one of its values; allowed are {allowed}')
        low, high = expected[name].low, expected[name].high
        if type(value) not in (int, float) or not low <= float(value) <= high:  # type: ignore[arg-type]
            raise ValueError(f'trial {trial.number}: {name} must lie between {low:g} and {high:g}, got {value!r:.50}')
    if any(expected[name] != distribution for name, distribution in trial.distributions.items()):
        raise ValueError(f'trial {trial.number} has other ranges than this search')
