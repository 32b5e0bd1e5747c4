"""The study: who comes first, how values are drawn, and what is refused."""

import math

import numpy as np
import pytest
from optuna.trial import TrialState

from icckd_mm.lab.tuning.search_space import RANGES, candidate_of, search_space
from icckd_mm.lab.tuning.study import ask, join_study
from tests.test_lab.test_tuning.stand import VALUES, setting

SPACE = search_space(VALUES)


def drawn(folder, count, seed=3, again_after=()):
    """The candidates of a study, which is joined again after some of them."""
    folder.mkdir(exist_ok=True)
    study, found = join_study(setting(folder)), []
    for number in range(count):
        trial = ask(study, SPACE, seed)
        found.append(candidate_of(trial, VALUES))
        trial.report(90.0 - abs(math.log(found[-1].values['temperature'] / 0.2)), 1)
        study.tell(trial, trial._get_latest_trial().intermediate_values[1])
        study = join_study(setting(folder)) if number in again_after else study
    return found


def test_control_and_default_come_first(tmp_path):
    control, default, other = drawn(tmp_path, 3)
    assert control.is_control
    assert control.values == {**VALUES, 'loss_weight': 0.0}
    assert control.name == 'control (λ = 0)'
    assert default.values == VALUES
    assert default.name == 'default'
    assert other.name == 'candidate 2'


def test_seed_number_and_earlier_trials_decide_the_values_not_the_process(tmp_path):
    values = drawn(tmp_path / 'a', 14)
    assert drawn(tmp_path / 'b', 14, again_after=(0, 5, 11, 12)) == values
    assert drawn(tmp_path / 'c', 4, seed=4)[3] != values[3]


def test_values_lie_in_the_ranges_and_gather_where_students_are_better(tmp_path):
    found = drawn(tmp_path, 40)[2:]
    for name, (low, high) in RANGES.items():
        assert all(low <= one.values[name] <= high for one in found)
    distance = [abs(math.log(one.values['temperature'] / 0.2)) for one in found]
    assert np.mean(distance[-15:]) < np.mean(distance[:8])


def test_the_ranges_are_widened_to_the_values_of_the_config():
    space = search_space(dict(loss_weight=0.5, margin=-1.0, temperature=0.01))
    assert [(one.low, one.high) for one in space.values()] == [(0.002, 0.5), (-1.0, 0.9), (0.01, 0.5)]
    with pytest.raises(ValueError, match='temperature of the loss must be positive and finite, got 0'):
        search_space({**VALUES, 'temperature': 0.0})


@pytest.mark.parametrize(
    ('values', 'message'),
    [
        ({'margin': 3.0}, r'trial 2: margin must lie between 0 and 0\.9, got 3\.0'),
        ({'temperature': 0.2, 'loss_weight': '1e-3'}, r"trial 2: loss_weight must lie between 0\.002 and 0\.3, got '1e-3'"),
        ({'loss_weight': float('nan')}, 'trial 2: loss_weight must lie between'),
        ({'lr': 0.1}, 'trial 2: lr is not one of its values; allowed are loss_weight, margin, temperature'),
    ],
)
def test_a_trial_enqueued_outside_the_search_space_is_refused_and_fails(values, message, tmp_path):
    """A dashboard or other code can add trials."""
    study = join_study(setting(tmp_path))
    study.enqueue_trial(values)
    ask(study, SPACE, 0)
    ask(study, SPACE, 0)
    with pytest.raises(ValueError, match=message):
        ask(study, SPACE, 0)
    assert study.trials[2].state == TrialState.FAIL
    assert len(join_study(setting(tmp_path)).trials) == 3  # it is not tried again


def test_a_trial_enqueued_inside_the_search_space_takes_part(tmp_path):
    study = join_study(setting(tmp_path))
    study.enqueue_trial({'margin': 0.25})
    trial = [ask(study, SPACE, 0) for _ in range(3)][2]
    assert candidate_of(trial, VALUES).values['margin'] == 0.25


def test_a_study_of_which_a_kill_left_the_beginning_is_completed(tmp_path):
    join_study(setting(tmp_path))
    path = tmp_path / 'study.journal'
    lines = path.read_bytes().splitlines(keepends=True)
    for count in range(len(lines)):
        path.write_bytes(b''.join(lines[:count]))
        study = join_study(setting(tmp_path))
        assert [trial.system_attrs['fixed_params'] for trial in study.trials] == [{}, VALUES]
