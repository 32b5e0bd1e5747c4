"""tools/train.py, a run of a plan and a trial of a tuning pass the same config to one function."""

import shlex
from pathlib import Path

import pytest
from mmengine.config import Config

from icckd_mm.config import launch
from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import check_plan
from icckd_mm.lab.experiment.train_run import Task, train_run
from icckd_mm.lab.tuning.candidate import Candidate
from icckd_mm.lab.tuning.setting import make_setting
from tests.integration.test_tools import BASELINE, STUDENT, TEACHER
from tests.integration.test_tools import command as tool

ROOT = Path(__file__).parents[2]


class CompletedError(Exception):
    """The config is complete, and the next step would build the runner."""


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def completed(monkeypatch):
    """The config that reaches the runner, without times and folders."""

    def stop(cfg, new_schedule):
        raise CompletedError(cfg)

    monkeypatch.setattr(launch, 'build_runner', stop)
    monkeypatch.setattr('icckd_mm.config.network_files.check_networks', lambda cfg: None)  # the teacher's file is empty

    def of(function, *arguments):
        with pytest.raises(CompletedError) as caught:
            function(*arguments)
        cfg = caught.value.args[0].to_dict()
        return {key: value for key, value in cfg.items() if key not in ('work_dir', 'experiment_name')}

    return of


def compared(task, completed, folder):
    """The config of a run, after comparing it with that of its command."""
    found = completed(train_run, task)
    words = shlex.split((Path(task.folder) / 'command.txt').read_text())
    assert words[:4] == ['python', '-m', 'icckd_mm', 'train']
    words[words.index('--work-dir') + 1] = str(folder)
    assert completed(tool('train'), words[4:]) == found
    return found


@pytest.mark.parametrize(
    ('stage', 'changes'),
    [
        ('teacher', {}),
        ('teacher', dict(default=dict(teacher='icc-ft', images=64))),  # it starts from other weights
        ('teacher', dict(default=dict(second_view='bank'))),  # its pipeline cannot be passed on the command line
        ('teacher', dict(device_loader=True)),
        ('student', dict(networks=dict(teacher={'backbone.depth': 14}))),
        ('student', dict(options=dict(student={'train_dataloader.num_workers': 2}))),
    ],
)
def test_a_run_is_its_command(stage, changes, completed, tmp_path):
    plan = {'name': 'one', 'seeds': [3], 'designs': [dict(type='star')], 'controls': [], **changes}
    run = [run for run in build_graph(check_plan(plan)).values() if run.recipe.stage == stage][-1]
    parent = None
    if run.parent:
        parent = str(tmp_path / 'parent.pth')
        Path(parent).touch()
    found = compared(Task(run, str(tmp_path / 'run'), parent, False, code_version()), completed, tmp_path / 'command')
    assert found['randomness']['seed'] == 3
    assert found['train_cfg']['max_epochs'] == run.epochs
    assert parent in (None, found['load_from'], found['model'].get('teacher_ckpt'))


def test_a_trial_is_its_command(completed, tmp_path):
    configs = {'teacher': Config.fromfile(TEACHER), 'student': Config.fromfile(STUDENT)}
    setting, _ = make_setting(configs, tmp_path, 0.3, 0, (2, 2))
    setting.write_configs()
    (tmp_path / 'teacher.pth').touch()
    candidate = Candidate(2, dict(loss_weight=0.1, margin=0.25, temperature=0.3))
    teacher, student = setting.pair(candidate, setting.deepest, 1)
    found = compared(Task(teacher, str(tmp_path / 't'), None, False, code_version()), completed, tmp_path / 'command')
    assert candidate.values.items() <= found['custom_hooks'][0]['loss'].items()
    task = Task(student, str(tmp_path / 's'), str(tmp_path / 'teacher.pth'), True, code_version())
    found = compared(task, completed, tmp_path / 'command')
    assert found['model']['teacher_ckpt'] == str(tmp_path / 'teacher.pth')
    assert found['test_dataloader'] is None


def test_options_that_turn_workers_off_are_enough(completed, tmp_path):
    cfg = Config.fromfile(BASELINE)
    cfg.update(work_dir=str(tmp_path), launcher='none')
    cfg.train_dataloader.num_workers = 2
    cfg.train_dataloader.pop('persistent_workers', None)
    found = completed(launch.train, cfg, {'train_dataloader.num_workers': 0})
    assert found['train_dataloader']['persistent_workers'] is False  # torch refuses the other without workers
