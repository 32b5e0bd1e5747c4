"""Real tunings of 60 digits; the test set does not exist."""

import json
import multiprocessing as mp
import time
from pathlib import Path

import pytest

from icckd_mm.lab.experiment.results import read_results, without_varying
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


@pytest.fixture(scope='module', autouse=True)
def _in_the_repository():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


@pytest.fixture(scope='module')
def tuned(tmp_path_factory):
    folder = tmp_path_factory.mktemp('tuned')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        return folder, main([STUDENT, *LIMITS, '--work-dir', str(folder), *OPTIONS])


def figures(folder):
    """All trials but their times; the configs lie in the work dir."""
    return json.dumps(without_varying(read_results(folder / 'tune.jsonl'))).replace(str(folder), '')


def test_trials_teach_and_distil_and_the_report_says_how_to_go_on(tuned):
    folder, winner = tuned
    records = read_results(folder / 'tune.jsonl')
    assert sorted((r['stage'], r['candidate'], r['seed']) for r in records) == [
        (stage, index, seed) for stage in ('student', 'teacher') for index in (0, 1, 2) for seed in (0, 1)
    ]
    default = dict(loss_weight=0.02, margin=-1.0, temperature=0.1)  # of the configs with their options
    values = {r['candidate']: {key: r['factors'][key] for key in default} for r in records}
    assert values[0] == {**default, 'loss_weight': 0.0}
    assert values[1] == default
    assert winner in values.values()
    teachers = {r['candidate']: r['geometry'] for r in records if r['stage'] == 'teacher' and r['seed'] == 0}
    assert teachers[0] != teachers[1]  # the values have reached the loss
    report = (folder / 'tune.md').read_text()
    assert '40 images to train on, 20 held out' in report
    assert f'python tools/train.py {TEACHER} --work-dir {folder}/final/teacher/train' in report
    assert f'"model.teacher_ckpt={folder}/final/teacher/train/epoch_1.pth"' in report
    assert 'too few seeds' in report


def test_a_killed_and_resumed_tuning_ends_like_an_undisturbed_one(tuned, tmp_path):
    words = [STUDENT, *LIMITS, '--work-dir', str(tmp_path)]
    process = mp.get_context('fork').Process(target=main, args=([*words, *OPTIONS],))  # it need not import torch again
    process.start()
    deadline = time.time() + 200
    while not ((tmp_path / 'tune.json').exists() and len(read_results(tmp_path / 'tune.jsonl')) >= 5):
        assert time.time() < deadline
        assert process.is_alive()
        time.sleep(0.01)
    process.kill()
    process.join()
    assert len(read_results(tmp_path / 'tune.jsonl')) < 12
    assert main([*words, '--resume', *OPTIONS]) == tuned[1]
    assert figures(tmp_path) == figures(tuned[0])


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
