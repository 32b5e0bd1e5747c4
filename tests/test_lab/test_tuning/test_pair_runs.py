"""The runs of a teacher and its student."""

import pytest

from icckd_mm.engine.process.folder_lock import folder_lock
from icckd_mm.lab.tuning.candidate import Candidate
from icckd_mm.lab.tuning.pair_runs import RunError, pair_runs
from icckd_mm.lab.tuning.results import Results
from tests.test_lab.test_tuning.stand import VALUES, Stand, setting

CANDIDATE = Candidate(1, VALUES, is_default=True)


@pytest.fixture
def results(tmp_path):
    return Results(setting(tmp_path))


def answer(task):
    return Stand(1).result(task), ''


def test_the_student_starts_from_its_teacher_and_both_are_kept(results, tmp_path):
    runs = pair_runs(results, CANDIDATE, 1, 0)
    teacher = next(runs)
    student = runs.send(answer(teacher))
    assert teacher.run.recipe.options['custom_hooks.0.loss.margin'] == VALUES['margin']
    assert student.parent_checkpoint == f'{teacher.folder}/train/epoch_15.pth'
    with pytest.raises(StopIteration) as ended:
        runs.send(answer(student))
    assert ended.value.value == 89.0
    with pytest.raises(StopIteration):  # it is not run again
        next(pair_runs(Results(results.setting), CANDIDATE, 1, 0))
    assert not list(tmp_path.glob('**/*.pth'))


def test_a_teacher_whose_checkpoint_is_gone_is_trained_again(results, tmp_path):
    teacher = next(pair_runs(results, CANDIDATE, 1, 0))
    answer(teacher)
    assert next(pair_runs(results, CANDIDATE, 1, 0)).run.recipe.stage == 'student'
    (tmp_path / 'runs/candidate01/level1_seed00/teacher/train/epoch_15.pth').unlink()
    assert next(pair_runs(results, CANDIDATE, 1, 0)).run == teacher.run


def test_a_run_waits_for_the_worker_of_a_process_that_was_killed(results, tmp_path):
    runs = pair_runs(results, CANDIDATE, 1, 0)
    with folder_lock(tmp_path / 'runs/candidate01/level1_seed00/teacher'):
        assert next(runs) is None
        assert next(runs) is None
    assert next(runs).run.recipe.stage == 'teacher'


def test_a_run_that_fails_ends_the_pair(results, tmp_path):
    runs = pair_runs(results, CANDIDATE, 1, 0)
    student = runs.send(answer(next(runs)))
    with pytest.raises(RunError, match='loss is nan'):
        runs.send((None, 'loss is nan'))
    assert student.run.recipe.stage == 'student'
    assert not list(tmp_path.glob('**/*.pth'))
