"""The journal is a file: what it contains is data, and a kill at any moment leaves it usable."""

import json
import multiprocessing as mp
import os
import pickle
import signal

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, distribution_to_json
from optuna.storages.journal import JournalFileOpenLock

from icckd_mm.lab.tuning.journal import JOURNAL, cut_incomplete_line, open_journal
from icckd_mm.lab.tuning.search_space import search_space
from icckd_mm.lab.tuning.study import NAME, PLAN, join_study, read_plan
from tests.test_lab.test_tuning.stand import VALUES, setting

SPACE = search_space(VALUES)
LOSS_WEIGHT = distribution_to_json(SPACE['loss_weight'])


def operation(op_code, **fields):
    return json.dumps(dict(op_code=op_code, worker_id='w', **fields)).encode()


def trial(**fields):
    start = dict(study_id=0, datetime_start='2026-01-01T00:00:00+00:00')
    return operation(4, **{**start, **fields})


@pytest.fixture
def journal(tmp_path):
    """That of a study with the control and the default."""
    join_study(setting(tmp_path))
    return tmp_path / JOURNAL


DAMAGED = {
    'text': b'hello',
    'a list': b'[]',
    'a number': b'7',
    'not UTF-8': b'\xff\xfe\x00',
    'a pickle': pickle.dumps(os.system).replace(b'\n', b''),
    'nested deeply': b'[' * 100_000,
    'no operation': b'{"worker_id": "w"}',
    'an operation that is a text': b'{"op_code": "4", "worker_id": "w"}',
    'an unknown operation': operation(99),
    'nobody': b'{"op_code": 4}',
    'a trial without anything': operation(4),
    'a time that is none': trial(datetime_start='yesterday'),
    'an unknown state': trial(state=99),
    'another class': operation(5, trial_id=0, param_name='x', param_value_internal=0, distribution='{"name": "os.system"}'),
    'many choices': operation(
        5,
        trial_id=0,
        param_name='x',
        param_value_internal=0,
        distribution=distribution_to_json(CategoricalDistribution([1, 2])),
    ),
    'other ranges': operation(
        5, trial_id=0, param_name='margin', param_value_internal=0, distribution=distribution_to_json(FloatDistribution(0, 9))
    ),
    'ranges that are a list': trial(distributions=[1]),
    'a value that is a text': trial(distributions={'loss_weight': LOSS_WEIGHT}, params={'loss_weight': 'x'}, state=1),
    'an unknown value': trial(distributions={'x': LOSS_WEIGHT}, params={'x': 0.1}, state=1, intermediate_values={'1': 9}),
    'a value that is too large': trial(distributions={'loss_weight': LOSS_WEIGHT}, params={'loss_weight': 7.0}),
    'a value that is not a number': trial(distributions={'loss_weight': LOSS_WEIGHT}, params={'loss_weight': float('nan')}),
    'an accuracy that is too large': trial(state=1, value=900.0, intermediate_values={'1': 900.0}),
    'an accuracy that is a text': trial(state=1, value=9.0, intermediate_values={'1': 'x'}),
    'an accuracy of the pruner that is a text': trial(system_attrs={'completed_rung_0': 'x'}),
    'no accuracy': trial(state=1, value=9.0),
    'other steps': trial(state=1, value=9.0, intermediate_values={'2': 9.0}),
    'fixed values that are a text': trial(system_attrs={'fixed_params': 'x'}),
    'the study deleted': operation(1, study_id=0),
    'another study': operation(0, study_name='theirs', directions=[2]),
    'other settings': operation(2, study_id=0, user_attr={'settings': ['x']}),
}


@pytest.mark.parametrize('name', DAMAGED)
def test_a_damaged_or_foreign_line_ends_in_one_line(name, journal, tmp_path):
    content = journal.read_bytes() + DAMAGED[name] + b'\n' + trial() + b'\n'
    journal.write_bytes(content)
    with pytest.raises(ValueError, match='another --work-dir') as error:
        join_study(setting(tmp_path))
    assert '\n' not in str(error.value)
    assert len(str(error.value)) < 500
    assert journal.read_bytes() == content


@pytest.mark.parametrize(
    'content', [b'hello\n', b'SQLite format 3\0\n', b'[]\n', operation(0, study_name='mine', directions=[2]) + b'\n']
)
def test_a_file_of_something_else_is_refused_and_kept(content, tmp_path):
    (tmp_path / JOURNAL).write_bytes(content)
    with pytest.raises(ValueError, match='name another --work-dir'):
        join_study(setting(tmp_path))
    assert (tmp_path / JOURNAL).read_bytes() == content


def test_a_study_that_minimises_is_refused(tmp_path):
    (tmp_path / JOURNAL).write_bytes(operation(0, study_name=NAME, directions=[1]) + b'\n')
    with pytest.raises(ValueError, match='does not maximise one accuracy'):
        join_study(setting(tmp_path))


@pytest.mark.parametrize(
    'plan', ['x', {}, {'top': 0}, {'top': 1.0, 'finalists': 2}, {'top': 9, 'finalists': 2}, {'top': 0, 'finalists': 10**9}]
)
def test_a_plan_that_no_tuning_makes_is_refused(plan, tmp_path):
    study = join_study(setting(tmp_path))
    study.set_user_attr(PLAN, plan)
    with pytest.raises(ValueError, match=r'study\.journal: .*; name another --work-dir'):
        read_plan(study, 2)


def test_a_line_that_a_kill_has_cut_is_removed_before_the_next_is_appended(journal, tmp_path):
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"op_code":4,"wor')
    study = join_study(setting(tmp_path))
    assert len(study.trials) == 2
    study.ask()
    assert journal.read_bytes().startswith(whole + b'{"op_code":6,')
    assert len(join_study(setting(tmp_path)).trials) == 2


@pytest.mark.parametrize(
    ('content', 'kept'), [(b'', b''), (b'a\n', b'a\n'), (b'a\nb', b'a\n'), (b'b', b''), (b'a\n' + b'b' * 10_000, b'a\n')]
)
def test_only_an_incomplete_line_is_cut(content, kept, tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(content)
    cut_incomplete_line(path)
    assert path.read_bytes() == kept


def _lock_and_die(path):
    JournalFileOpenLock(str(path)).acquire()
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.filterwarnings('ignore:The value of `grace_period`')
def test_a_process_killed_while_it_holds_the_lock_leaves_no_study_stuck(journal, tmp_path, monkeypatch):
    """Also with a relative path, for which Optuna's lock by symbolic link would wait for ever."""
    process = mp.get_context('fork').Process(target=_lock_and_die, args=(journal,))
    process.start()
    process.join()
    assert (tmp_path / f'{JOURNAL}.lock').exists()
    monkeypatch.chdir(tmp_path.parent)
    storage = open_journal((tmp_path / JOURNAL).relative_to(tmp_path.parent), SPACE, grace=1)
    storage.set_study_user_attr(0, 'after', 1)
    assert not (tmp_path / f'{JOURNAL}.lock').exists()
    assert join_study(setting(tmp_path)).user_attrs['after'] == 1
