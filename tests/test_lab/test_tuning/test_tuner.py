"""The plan of a tuning, and the tuner with made-up runs that take made-up time."""

import dataclasses
import json
import math
import time
from pathlib import Path

import numpy as np
import pytest

import icckd_mm.lab.tuning.tuner as tuner_module
from icckd_mm.lab.experiment.results import read_results, without_varying
from icckd_mm.lab.tuning.halving import (
    CONTROL,
    DEFAULT,
    LOSS_WEIGHT,
    MARGIN,
    TEMPERATURE,
    candidate,
    cost,
    deepest_level,
    plan_rungs,
    read_budget,
)
from icckd_mm.lab.tuning.report import tune_report
from icckd_mm.lab.tuning.setting import Setting
from icckd_mm.lab.tuning.tuner import Tuner

VALUES = dict(loss_weight=0.02, margin=0.5, temperature=0.1)


class Clock:
    """The tuner's time, which only runs make pass."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        return self.now


class Stand:
    """Instead of worker processes: a run takes a second per epoch; one number is best for students."""

    clock, best, broken, log = Clock(), 2, (), []

    def __init__(self, count, gpus=()):
        self.count, self.tasks = count, []

    def idle(self):
        return [''] * (self.count - len(self.tasks))

    def start(self, task, gpu):
        self.tasks.append(task)
        self.log.append((task.run.name, self.clock.now))

    def finished(self):
        task = self.tasks.pop(0)
        run = task.run
        self.clock.now += run.epochs
        Path(task.folder, 'train').mkdir(parents=True, exist_ok=True)
        Path(task.folder, 'train', f'epoch_{run.epochs}.pth').touch()
        if run.name in self.broken:
            yield task, None, 'loss is nan'
            return
        index = int(run.name.split('candidate')[1][:2])
        accuracy = 90.0 - abs(index - self.best) + 0.1 * (run.seed % 2)
        times = dict(wall_s=float(run.epochs), resumed=False)
        yield task, dict(run=run.name, stage=run.recipe.stage, epochs=run.epochs, last_accuracy=accuracy, time=times), ''

    def stop(self):
        pass


@pytest.fixture
def stand(monkeypatch):
    class Fresh(Stand):
        clock, log = Clock(), []

    monkeypatch.setattr(tuner_module, 'Workers', Fresh)
    monkeypatch.setattr(time, 'perf_counter', Fresh.clock.perf_counter)
    return Fresh


def setting(folder, epochs=45, most=(81, 7)):
    deepest = deepest_level(epochs)
    configs = {(stage, level): f'{stage}_{level}.py' for stage in ('teacher', 'student') for level in range(deepest + 1)}
    whole = dict(teacher=epochs, student=epochs)
    return Setting(folder, configs, {str(folder / 'a.py'): 'text'}, whole, deepest, 'custom_hooks.0.loss', VALUES, 0, most)


def quiet(line):
    pass


@pytest.mark.parametrize(('text', 'seconds'), [('90s', 90), ('30m', 1800), ('2h', 7200), ('0.5h', 1800)])
def test_a_budget_is_a_number_and_a_unit(text, seconds):
    assert read_budget(text) == seconds


@pytest.mark.parametrize('text', ['2x', '2', 'h', '-2h', '0s', '2h30', '1e3s', ' 2h'])
def test_another_budget_is_refused(text):
    with pytest.raises(ValueError, match='such as 90s, 30m or 2h'):
        read_budget(text)


def test_candidates_depend_on_seed_and_number_alone_and_fill_their_ranges():
    drawn = [candidate(index, VALUES, 3) for index in range(2, 400)]
    assert drawn[7] == candidate(9, VALUES, 3) != candidate(9, VALUES, 4)
    for name, (low, high), scale in (
        ('loss_weight', LOSS_WEIGHT, math.log),
        ('temperature', TEMPERATURE, math.log),
        ('margin', MARGIN, float),
    ):
        places = [(scale(values[name]) - scale(low)) / (scale(high) - scale(low)) for values in drawn if values[name] > 0]
        assert min(places) > -0.01
        assert max(places) < 1.01
        assert np.quantile(places, [0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.5, 0.75], abs=0.08)


def test_control_and_default_come_first():
    assert candidate(CONTROL, VALUES, 0) == {**VALUES, 'loss_weight': 0.0}
    assert candidate(DEFAULT, VALUES, 0) == VALUES


@pytest.mark.parametrize(('epochs', 'level'), [(2, 0), (14, 0), (15, 1), (20, 1), (45, 2), (240, 3), (10_000, 3)])
def test_the_shortest_rung_has_five_epochs_or_is_the_whole(epochs, level):
    assert deepest_level(epochs) == level


@pytest.mark.parametrize('workers', [1, 2, 5])
@pytest.mark.parametrize('deepest', [0, 1, 3])
@pytest.mark.parametrize('seconds', [120, 1000, 5000, 30_000, 10**6])
def test_the_rungs_fit_the_budget_and_cut_to_a_third(seconds, deepest, workers):
    rungs = plan_rungs(seconds, 10.0, deepest, workers, 0, (81, 7))
    assert sum(cost(rung, 10.0, deepest, workers) for rung in rungs) <= seconds
    assert [rung.level for rung in rungs] == sorted([rung.level for rung in rungs], reverse=True)
    assert rungs[0].level == deepest
    for before, after in zip(rungs, rungs[1:]):
        assert after.size == max(2, math.ceil(before.size / 3))
        assert after.level in (before.level, before.level - 1)
    assert 2 <= rungs[-1].size <= 3
    assert len(rungs[-1].seeds) >= 2
    seeds = [seed for rung in rungs for seed in rung.seeds]
    assert len(set(seeds)) == len(seeds)  # no luck is carried over


def test_what_a_generous_budget_gives_is_written_out():
    rungs = plan_rungs(1e6, 10.0, 3, 1, 5, (81, 7))
    assert [(rung.level, rung.size, rung.seeds) for rung in rungs] == [
        (3, 81, (5,)),
        (2, 27, (6,)),
        (1, 9, (7,)),
        (0, 3, (8, 9, 10, 11, 12, 13, 14)),
    ]


def test_more_candidates_than_lengths_give_further_short_rungs():
    rungs = plan_rungs(1e6, 10.0, 1, 1, 0, (81, 3))
    assert [(rung.level, rung.size) for rung in rungs] == [(1, 81), (1, 27), (1, 9), (0, 3)]


def test_a_small_budget_stays_at_short_runs():
    assert plan_rungs(300, 10.0, 3, 1, 0, (81, 7))[-1].level == 3


def test_a_budget_below_the_least_says_what_is_needed():
    with pytest.raises(ValueError, match=r'2 candidates and the control with 2 seeds need 60 s, and 59 s are left'):
        plan_rungs(59, 10.0, 0, 1, 0, (81, 7))


def test_the_best_candidate_survives_to_the_last_rung_and_wins(stand, tmp_path):
    stand.best = 6
    tuner = Tuner(setting(tmp_path, most=(27, 7)), 1e5, 2, say=quiet)
    history = tuner.run(resume=False)
    assert [len(alive) for alive in history] == [27, 9, 3]
    assert history[-1][0] == 6
    winner, verdict, parts = tune_report(tuner, history, ['data'])
    assert winner == candidate(6, VALUES, 0)
    assert 'better than the control' in verdict
    assert '| candidate 6 | ' in '\n'.join(parts)
    assert not list(tmp_path.glob('runs/*/train'))


def test_a_control_that_is_not_beaten_is_the_winner_and_the_report_says_so(stand, tmp_path):
    stand.best = CONTROL
    tuner = Tuner(setting(tmp_path, epochs=5, most=(3, 3)), 1e5, 1, say=quiet)
    winner, verdict, _ = tune_report(tuner, tuner.run(resume=False), [])
    assert winner['loss_weight'] == 0
    assert 'The control was not beaten' in verdict


def test_a_rung_without_any_difference_is_named(stand, tmp_path):
    """As where the margin has let no image pass yet."""

    def finished(self, ordinary=Stand.finished):
        for task, record, error in ordinary(self):
            yield task, {**record, 'last_accuracy': 10.0} if task.run.name.endswith('seed00') else record, error

    stand.finished = finished
    tuner = Tuner(setting(tmp_path, epochs=15, most=(6, 2)), 1e5, 1, say=quiet)
    history = tuner.run(resume=False)
    assert history == [[1, 2, 3, 4, 5, 6], [1, 2]]
    assert 'In rung 1 all have the same accuracy' in '\n'.join(tune_report(tuner, history, [])[2])


def test_a_work_dir_that_is_a_file_is_refused(stand, tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(ValueError, match=r'cannot write to .*file'):
        Tuner(setting(tmp_path / 'file'), 1e5, 1, say=quiet).run(resume=False)


def test_two_seeds_say_neither_better_nor_worse(stand, tmp_path):
    stand.best = DEFAULT
    tuner = Tuner(setting(tmp_path, epochs=5, most=(2, 2)), 1e5, 1, say=quiet)
    winner, verdict, parts = tune_report(tuner, tuner.run(resume=False), [])
    assert winner == VALUES
    assert 'there is no verdict' in verdict
    assert '| too few seeds |' in '\n'.join(parts)


@pytest.mark.parametrize('budget', [150, 400, 1000, 3000])
@pytest.mark.parametrize('slower', [1, 4])
def test_the_budget_is_kept_but_for_one_run_even_if_runs_become_slower(stand, tmp_path, budget, slower):
    """After the first pair the machine is four times as slow as it was."""
    ordinary = stand.finished

    def finished(self):
        for task, record, error in ordinary(self):
            if len(self.log) > 2:
                self.clock.now += (slower - 1) * task.run.epochs
                record['time']['wall_s'] *= slower
            yield task, record, error

    stand.finished = finished
    tuner = Tuner(setting(tmp_path), budget, 1, say=quiet)
    history = tuner.run(resume=False)
    longest = max(length * slower for length in (45, 15, 5))
    assert stand.clock.now <= budget + longest
    assert all(start <= budget for _, start in stand.log)
    tune_report(tuner, history, [])


def test_a_budget_that_ends_within_the_first_pair_is_named(stand, tmp_path):
    with pytest.raises(ValueError, match=r'budget of 3 s was spent before .* teacher took 5 s for 5 epochs'):
        Tuner(setting(tmp_path), 3, 1, say=quiet).run(resume=False)


def test_a_failed_candidate_drops_out_and_is_reported(stand, tmp_path):
    stand.best, stand.broken = 3, ('teacher_candidate03_level2_seed00', 'student_candidate04_level2_seed00')
    tuner = Tuner(setting(tmp_path, most=(9, 3)), 1e5, 2, say=quiet)
    history = tuner.run(resume=False)
    assert not {3, 4} & set(history[1])
    report = '\n'.join(tune_report(tuner, history, [])[2])
    assert report.count('| failed |') >= 2
    assert 'student_candidate03_level2_seed00' not in tuner.trials.records
    stand.broken = ()  # say, the disk was full
    again = Tuner(tuner.setting, 1e5, 2, say=quiet)
    assert again.run(resume=True)[-1][0] == 3


def test_a_first_run_that_fails_ends_the_tuning(stand, tmp_path):
    stand.broken = ('teacher_candidate00_level2_seed00',)
    with pytest.raises(ValueError, match=r'the first run has failed, see log\.txt .*loss is nan'):
        Tuner(setting(tmp_path), 1e5, 2, say=quiet).run(resume=False)


def test_a_tuning_cut_by_its_budget_goes_on_with_a_larger_one(stand, tmp_path):
    """The end is that of a tuning with the larger budget from the start, times aside, as the plan stays."""
    whole = Tuner(setting(tmp_path / 'whole', most=(9, 3)), 1e5, 1, say=quiet)
    history = whole.run(resume=False)
    count = len(stand.log)
    part = setting(tmp_path / 'part', most=(9, 3))
    first = Tuner(part, 1e5, 1, say=quiet)
    first._in_time = lambda *args: len(stand.log) < count + 21
    first.run(resume=False)
    assert first.stopped
    with open(tmp_path / 'part/tune.jsonl', 'a') as file:
        file.write('{"run": "cut by a k')
    second = Tuner(part, 1e5, 1, say=quiet)
    assert second.run(resume=True) == history
    assert second.trials.spent >= first.trials.spent
    files = [tmp_path / name / 'tune.jsonl' for name in ('whole', 'part')]
    records = [without_varying(read_results(file)) for file in files]
    assert records[0] == records[1]


def test_another_tuning_in_the_folder_is_refused(stand, tmp_path):
    before = setting(tmp_path, epochs=5, most=(2, 2))
    Tuner(before, 1e5, 1, say=quiet).run(resume=False)
    with pytest.raises(ValueError, match='holds a tuning already'):
        Tuner(before, 1e5, 1, say=quiet).run(resume=False)
    other = dataclasses.replace(before, seed=1)
    with pytest.raises(ValueError, match='settings of the tuning'):
        Tuner(other, 1e5, 1, say=quiet).run(resume=True)
    plan = json.loads((tmp_path / 'tune.json').read_text())
    (tmp_path / 'tune.json').write_text(json.dumps({**plan, 'code': 'older'}))
    with pytest.raises(ValueError, match=r'code of the tuning .* was older, is'):
        Tuner(before, 1e5, 1, say=quiet).run(resume=True)
    assert time.perf_counter() == stand.clock.now  # nothing was trained
