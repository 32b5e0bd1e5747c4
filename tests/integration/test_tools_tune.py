"""A real tuning of 60 digits by several processes; the test set does not exist."""

import multiprocessing as mp
import os
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages.journal import JournalFileBackend

from icckd_mm.config.command_line import run
from icckd_mm.lab.experiment.results import read_record
from tests.integration.test_tools import STUDENT, TEACHER, command

ROOT = Path(__file__).resolve().parents[2]
main = command('tune')
SMALL = ['backbone.depth=8', 'backbone.widths=(4,4,8,8)', 'head.in_channels=8']
NO_TEST = ['val_dataloader.dataset.split=nowhere', 'test_dataloader.dataset.split=nowhere']  # building it would raise
EPOCH = ['train_cfg.max_epochs=1', 'param_scheduler.T_max=1']
OPTIONS = [
    *('--cfg-options', 'train_dataloader.dataset.indices=60', *EPOCH, *NO_TEST),
    *('--teacher-options', 'custom_hooks.0.loss.margin=-1.0', *(f'model.{option}' for option in SMALL)),
    *('--student-options', *(f'model.teacher.{option}' for option in SMALL)),
]
LIMITS = ['--budget', '1h', '--candidates', '2', '--seeds', '2', '--held-out', '0.3', '--workers', '1']
DEFAULT = dict(loss_weight=0.02, margin=-1.0, temperature=0.1)  # of the configs with their options
PATIENCE = 300  # seconds; a generous bound of a hang


@pytest.fixture(scope='module', autouse=True)
def _in_the_repository():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


def tune(folder, log):
    """The command, with its output in a file."""
    with open(log, 'ab') as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    sys.stdout = open(1, 'w', closefd=False)  # noqa: SIM115
    sys.stderr = open(2, 'w', closefd=False)  # noqa: SIM115
    main([STUDENT, *LIMITS, '--work-dir', str(folder), *OPTIONS])
    sys.stdout.flush()


def begin(folder, log):
    process = mp.get_context('fork').Process(target=tune, args=(folder, log))  # it need not import torch again
    process.start()
    return process


def finished(folder):
    return {path: path.stat().st_mtime_ns for path in folder.glob('runs/*/*/*/result.json')}


@pytest.fixture(scope='module')
def tuned(tmp_path_factory):
    """The work dir of a tuning whose first process was killed; two others ended it. And what was finished at the kill."""
    logs = tmp_path_factory.mktemp('logs')
    folder = tmp_path_factory.mktemp('tuned')
    first = begin(folder, logs / 'first')
    deadline = time.time() + PATIENCE
    while len(finished(folder)) < 3:
        assert time.time() < deadline
        assert first.is_alive()
        time.sleep(0.01)
    first.kill()
    first.join()
    before = finished(folder)
    others = [begin(folder, logs / name) for name in ('second', 'third')]
    for other in others:
        other.join(PATIENCE)
    return folder, before, [other.exitcode for other in others], logs


def test_two_processes_end_the_tuning_of_one_that_was_killed(tuned):
    folder, before, codes, logs = tuned
    assert codes == [0, 0]
    assert 3 <= len(before) < 12
    after = finished(folder)
    assert before.items() <= after.items()  # nothing that had finished was trained again
    records = [read_record(path) for path in after]
    assert sorted((r['stage'], r['run'].split('_')[1], r['seed']) for r in records) == [
        (stage, f'candidate0{index}', seed) for stage in ('student', 'teacher') for index in (0, 1, 2) for seed in (0, 1, 2)
    ]
    verdicts = [(logs / name).read_text().splitlines()[-3:-1] for name in ('second', 'third')]
    assert verdicts[0] == verdicts[1]
    starts = (
        '40 images',
        'control',
        'default',
        'candidate 2',
        'waiting',
        'No winner',
        'The control',
        '--cfg-options',
        'finals: ',
        '0:',
        '1:',
    )
    for name in ('first', 'second', 'third'):  # no line of Optuna, no warning
        assert all(line.startswith(starts) for line in (logs / name).read_text().splitlines())
    assert not list(folder.glob('**/*.pth'))
    assert not list(folder.glob('**/lock'))


def test_trials_teach_and_distil_and_the_report_says_how_to_go_on(tuned):
    folder = tuned[0]
    records = [read_record(path) for path in finished(folder)]
    values = {r['run'].split('_')[1]: r['factors'] for r in records}
    assert values['candidate00'] == {**DEFAULT, 'loss_weight': 0.0}
    assert values['candidate01'] == DEFAULT
    teachers = {r['run'].split('_')[1]: r['geometry'] for r in records if r['stage'] == 'teacher' and r['seed'] == 0}
    assert teachers['candidate00'] != teachers['candidate01']  # the values have reached the loss
    report = (folder / 'tune.md').read_text()
    assert '40 images to train on, 20 held out' in report
    assert f'python -m icckd_mm train {TEACHER} --work-dir {folder}/final/teacher/train' in report
    assert f'"model.teacher_ckpt={folder}/final/teacher/train/epoch_1.pth"' in report
    assert '| candidate | λ | δ | τ | seed 1 | seed 2 | mean | less control | p (Holm) | verdict |' in report
    assert 'too few seeds' in report


def test_other_programs_of_optuna_can_open_the_journal(tuned):
    """As optuna-dashboard does."""
    path = str(tuned[0] / 'study.journal')
    (study,) = optuna.get_all_study_summaries(optuna.storages.JournalStorage(JournalFileBackend(path)))
    assert study.study_name == 'tuning'
    study = optuna.load_study(study_name='tuning', storage=optuna.storages.JournalStorage(JournalFileBackend(path)))
    assert [trial.state.name for trial in study.trials] == ['COMPLETE'] * 3
    assert study.trials[1].params == DEFAULT


def test_without_optuna_one_line_names_the_extra(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith(('optuna', 'icckd_mm.lab.tuning'))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'optuna', None)
    with pytest.raises(SystemExit) as ended:
        run(command('tune'), [STUDENT, '--budget', '1h'])
    assert ended.value.code == 2
    assert capsys.readouterr().err == "error: tune.py needs optuna: pip install 'icckd_mm[tune]'\n"


CE = 'configs/icckd/baseline/ce_resnet20_1xb64_digits.py'


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        ([STUDENT, '--budget', '2x'], '--budget must be a time such as 90s, 30m or 2h'),
        ([STUDENT, '--budget', '1h', '--held-out', '0'], '--held-out must lie between 0 and 1, got 0'),
        ([STUDENT, '--budget', '1h', '--held-out', '1'], '--held-out must lie between 0 and 1, got 1'),
        ([STUDENT, '--budget', '1h', '--seeds', '1'], '--seeds must be at least 2, got 1'),
        ([STUDENT, '--budget', '1h', '--candidates', '1'], '--candidates must be at least 2'),
        ([STUDENT, '--budget', '1h', '--workers', '4096'], '--workers must be 1 to'),
        ([TEACHER, '--budget', '1h'], 'is not a distillation: it has no model.teacher_ckpt'),
        ([STUDENT, '--budget', '1h', '--teacher', CE], f'{CE}: custom_hooks of the teacher has no IntraClassContrastHook'),
        ([STUDENT, '--budget', '1h', '--teacher', 'nowhere.py'], 'config nowhere.py does not exist'),
        ([STUDENT, '--budget', '1h', '--teacher-options', 'train_dataloader.dataset.indices=60'], 'differ in indices'),
        ([STUDENT, '--budget', '1h', '--cfg-options', 'train_dataloader.dataset.indices=3'], 'has 1 image, of which none'),
        ([STUDENT, '--budget', '1h', '--cfg-options', 'train_dataloader.batchsize=3'], 'did you mean batch_size'),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_any_run(words, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        main([*words, '--work-dir', str(tmp_path / 'work')])
    assert not (tmp_path / 'work').exists()


def test_a_student_whose_teacher_has_no_config_here_asks_for_it(tmp_path):
    config = tmp_path / 'mine.py'
    config.write_text(
        f"_base_ = '{ROOT / STUDENT}'\nmodel = dict(teacher_ckpt='work_dirs/icc_resnet21_1xb64_digits/epoch_9.pth')\n"
    )
    with pytest.raises(ValueError, match=r'set its config with --teacher, e\.g\. configs/.*icc_resnet20_1xb64_digits\.py'):
        main([str(config), '--budget', '1h'])
