"""The course of a tuning, with made-up runs that take made-up time; the study and its journal are Optuna's."""

import dataclasses
import time
import warnings

import pytest
from optuna.trial import TrialState

import icckd_mm.lab.tuning.tuner as tuner_module
from icckd_mm.lab.tuning.candidate import CONTROL
from icckd_mm.lab.tuning.report import tune_report
from icckd_mm.lab.tuning.tuner import Tuner
from tests.test_lab.test_tuning.stand import VALUES, Clock, Stand, number_of, setting


@pytest.fixture
def stand(monkeypatch):
    class Fresh(Stand):
        clock, log = Clock(), []

    monkeypatch.setattr(tuner_module, 'Workers', Fresh)
    monkeypatch.setattr(time, 'perf_counter', Fresh.clock.perf_counter)
    return Fresh


def quiet(line):
    pass


def numbers(rung):
    return [one.number for one in rung.candidates]


def test_the_best_candidate_survives_to_the_finals_and_wins(stand, tmp_path, capfd):
    stand.best = 6
    tuner = Tuner(setting(tmp_path, most=(20, 7)), 1e5, 2)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        rungs = tuner.run()
    assert [rung.level for rung in rungs] == [2, 1, 0]
    assert sorted(numbers(rungs[0])) == list(range(21))
    assert len(rungs[1].candidates) < 15
    assert numbers(rungs[-1])[:2] == [CONTROL, 6]
    assert len(rungs[-1].candidates) == 4
    seeds = [seed for rung in rungs for seed in rung.seeds]
    assert seeds == list(range(9))  # no luck is carried over
    winner, verdict, parts = tune_report(tuner, rungs, ['data'])
    assert winner == rungs[-1].candidates[1].values
    assert 'better than the control' in verdict
    assert '| candidate 6 | ' in '\n'.join(parts)
    assert not list(tmp_path.glob('runs/*/*/*/train'))
    assert [trial.state for trial in tuner.study.trials[:2]] == [TrialState.COMPLETE] * 2
    assert tuner.study.trials[1].params == VALUES
    said = capfd.readouterr()
    assert said.err == ''
    lines = said.out.splitlines()
    assert all(line.startswith(('control', 'default', 'candidate', 'finals')) for line in lines)
    assert lines[1] == 'finals: 3 candidates and the control; to name a winner they need 7 seeds'  # before a second pair
    assert len(stand.log) == len({name for name, _ in stand.log})


def test_candidates_of_a_rung_are_paired_by_seed(stand, tmp_path):
    Tuner(setting(tmp_path, most=(9, 3)), 1e5, 1, say=quiet).run()
    seeds = {}
    for name, _ in stand.log:
        key, level_and_seed = number_of(name), name.split('_', 2)[2]
        seeds.setdefault(level_and_seed, []).append(key)
    assert all(CONTROL in found for found in seeds.values())
    assert len({tuple(sorted(found)) for pair, found in seeds.items() if 'level0' in pair}) == 1


def test_a_control_that_is_not_beaten_is_the_winner_and_the_report_says_so(stand, tmp_path):
    stand.best = CONTROL
    tuner = Tuner(setting(tmp_path, epochs=5, most=(3, 3)), 1e5, 1, say=quiet)
    winner, verdict, _ = tune_report(tuner, tuner.run(), [])
    assert winner['loss_weight'] == 0
    assert 'The control was not beaten' in verdict


def test_a_rung_without_any_difference_is_named(stand, tmp_path):
    """As where the margin has let no image pass yet."""
    stand.equal = (0,)
    tuner = Tuner(setting(tmp_path, epochs=15, most=(6, 2)), 1e5, 1, say=quiet)
    rungs = tuner.run()
    assert numbers(rungs[-1]) == [0, 1, 2, 3]
    assert 'In rung 1 all have the same accuracy' in '\n'.join(tune_report(tuner, rungs, [])[2])


def test_a_work_dir_that_is_a_file_is_refused(stand, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(ValueError, match=r'cannot write to .*file'):
        Tuner(setting(tmp_path / 'file'), 1e5, 1, say=quiet).run()


def test_two_seeds_say_neither_better_nor_worse(stand, tmp_path):
    stand.best = 1
    tuner = Tuner(setting(tmp_path, epochs=5, most=(2, 2)), 1e5, 1, say=quiet)
    winner, verdict, parts = tune_report(tuner, tuner.run(), [])
    assert winner == VALUES
    assert 'there is no verdict' in verdict
    assert '| too few seeds |' in '\n'.join(parts)


@pytest.mark.parametrize('budget', [150, 400, 1000])
@pytest.mark.parametrize('slower', [1, 4])
def test_the_budget_is_kept_but_for_one_run_even_if_runs_become_slower(stand, tmp_path, budget, slower):
    """After the first pair the machine is four times as slow as it was."""
    ordinary = stand.result

    def result(self, task):
        record = ordinary(self, task)
        if len(self.log) > 2:
            self.clock.now += (slower - 1) * task.run.epochs
        return record

    stand.result = result
    tuner = Tuner(setting(tmp_path), budget, 1, say=quiet)
    rungs = tuner.run()
    longest = max(length * slower for length in (45, 15, 5))
    assert stand.clock.now <= budget + longest
    assert all(start <= budget for _, start in stand.log)
    if slower == 1:
        assert stand.clock.now > 0.8 * budget
        assert tune_report(tuner, rungs, [])[0] is not None


def test_a_budget_that_ends_within_the_first_pair_is_named(stand, tmp_path):
    with pytest.raises(ValueError, match='budget of 3 s was spent before the first pair of runs had ended'):
        Tuner(setting(tmp_path), 3, 1, say=quiet).run()


def test_a_budget_that_is_too_small_for_any_finals_is_named_and_a_larger_one_continues(stand, tmp_path):
    with pytest.raises(ValueError, match=r'takes 10\.0 s at the shortest length, .* need 120 s, and the budget is 100 s'):
        Tuner(setting(tmp_path), 100, 1, say=quiet).run()
    assert [name for name, _ in stand.log] == ['teacher_candidate00_level2_seed00', 'student_candidate00_level2_seed00']
    tuner = Tuner(setting(tmp_path), 1000, 1, say=quiet)
    assert tune_report(tuner, tuner.run(), [])[0] is not None
    assert len(stand.log) == len(set(stand.log))


def test_a_failed_candidate_drops_out_is_reported_and_tried_again_by_the_next_call(stand, tmp_path):
    stand.best, stand.broken = 3, ('teacher_candidate03_level2_seed00', 'student_candidate04_level2_seed00')
    tuner = Tuner(setting(tmp_path, most=(9, 3)), 1e5, 2, say=quiet)
    rungs = tuner.run()
    assert {3, 4} <= set(numbers(rungs[0]))
    assert not {3, 4} & {one for rung in rungs[1:] for one in numbers(rung)}
    assert '\n'.join(tune_report(tuner, rungs, [])[2]).count('| failed |') >= 2
    assert 'student_candidate03_level2_seed00' not in [name for name, _ in stand.log]
    assert tuner.study.trials[3].user_attrs == {'error': 'loss is nan'}
    count = len(tuner.study.trials)
    stand.broken = ()  # say, the disk was full
    again = Tuner(tuner.setting, 1e5, 2, say=quiet)
    again.run()
    assert [trial.params for trial in again.study.trials[count:]] == [trial.params for trial in tuner.study.trials[3:5]]
    assert [trial.state for trial in again.study.trials[3:5]] == [TrialState.FAIL] * 2
    Tuner(tuner.setting, 1e5, 2, say=quiet).run()
    assert len(again.study.trials) == count + 2


def test_a_pair_of_the_finals_that_fails_costs_its_seed_alone(stand, tmp_path):
    stand.broken = ('student_candidate01_level0_seed02',)
    tuner = Tuner(setting(tmp_path, most=(2, 3)), 1e5, 1, say=quiet)
    report = '\n'.join(tune_report(tuner, tuner.run(), [])[2])
    assert '| seed 3 | seed 4 | mean |' in report
    assert report.count('| failed |') == 1


def test_a_control_that_fails_ends_the_tuning_and_the_same_command_tries_it_again(stand, tmp_path):
    stand.broken = ('teacher_candidate00_level2_seed00',)
    with pytest.raises(ValueError, match=r'the control has failed, see log\.txt .*loss is nan'):
        Tuner(setting(tmp_path), 1e5, 2, say=quiet).run()
    stand.broken = ()
    assert Tuner(setting(tmp_path), 400, 1, say=quiet).run()


def test_a_tuning_cut_by_its_budget_goes_on_with_a_larger_one(stand, tmp_path):
    first = Tuner(setting(tmp_path, most=(9, 7)), 300, 1, say=quiet)
    first.run()
    assert first.stopped
    count = len(stand.log)
    with open(tmp_path / 'study.journal', 'ab') as file:
        file.write(b'{"op_code": 4, "cut by a k')
    second = Tuner(setting(tmp_path, most=(9, 7)), 1e5, 1, say=quiet)
    rungs = second.run()
    assert second.allowance.before > 0
    assert not second.stopped
    assert len(stand.log) > count
    assert len({name for name, _ in stand.log}) == len(stand.log)  # nothing was trained twice
    assert tune_report(second, rungs, [])[0] is not None


def test_the_same_command_after_the_end_trains_nothing_and_gives_the_same_report(stand, tmp_path):
    tuner = Tuner(setting(tmp_path, epochs=15, most=(3, 3)), 1e5, 1, say=quiet)
    report = tune_report(tuner, tuner.run(), [])[:2]
    count = len(stand.log)
    again = Tuner(setting(tmp_path, epochs=15, most=(3, 3)), 1e5, 1, say=quiet)
    assert tune_report(again, again.run(), [])[:2] == report
    assert len(stand.log) == count


def test_another_tuning_in_the_folder_is_refused(stand, tmp_path, monkeypatch):
    before = setting(tmp_path, epochs=5, most=(2, 2))
    Tuner(before, 1e5, 1, say=quiet).run()
    now = stand.clock.now
    with pytest.raises(ValueError, match='settings of the tuning'):
        Tuner(dataclasses.replace(before, seed=1), 1e5, 1, say=quiet).run()
    monkeypatch.setattr('icckd_mm.lab.tuning.study.code_version', lambda: 'newer')
    with pytest.raises(ValueError, match=r'code of the tuning .* was .*, is newer now; the same command and code continue it'):
        Tuner(before, 1e5, 1, say=quiet).run()
    assert stand.clock.now == now  # nothing was trained
    (tmp_path / 'study.journal').unlink()
    with pytest.raises(ValueError, match=r'holds runs, but no study\.journal; name another --work-dir'):
        Tuner(before, 1e5, 1, say=quiet).run()
