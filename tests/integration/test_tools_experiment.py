import os
import subprocess
from pathlib import Path

import pytest

from icckd_mm.lab.experiment.results import read_results
from tests.integration.test_tools import command

ROOT = Path(__file__).resolve().parents[2]
PLAN = """
name = 'tiny'
seeds = [0, 1, 2]
default = dict(images=64, epochs=1)
designs = [dict(type='star', loss_weight=[0.02, 0.1], student=['kd', 'ckd'])]
controls = ['ce', 'alone']
seconds = 20
options = dict(all={'val_dataloader.dataset.indices': 40, 'test_dataloader.dataset.indices': 40})
networks = dict(teacher={'backbone.depth': 8})
"""
main = command('experiment')


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def plan(tmp_path):
    file = tmp_path / 'plan.py'
    file.write_text(PLAN)
    return str(file)


def test_dry_run_counts_the_runs_and_estimates_the_time(plan, tmp_path, capsys):
    main([plan, '--work-dir', str(tmp_path / 'work'), '--dry-run', '--workers', '1'])
    lines = [' '.join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        'level 1: 3 student runs alone',
        'level 1: 3 teacher runs ce',
        'level 1: 6 teacher runs icc',  # 0.02 and 0.1; both students of 0.02 share theirs
        'level 2: 3 student runs ckd of ce teachers',
        'level 2: 3 student runs ckd of icc teachers',
        'level 2: 3 student runs kd of ce teachers',
        'level 2: 6 student runs kd of icc teachers',
        '27 runs, 0 of them finished; time left: 9:00 with 1 workers',
    ]
    assert not (tmp_path / 'work').exists()


def test_slurm_scripts_are_valid_and_submit_level_after_level(plan, tmp_path, capsys):
    work = tmp_path / 'a work dir'
    main([plan, '--work-dir', str(work), '--slurm'])
    folder = work / 'slurm'
    assert f'bash {folder}/submit.sh' in capsys.readouterr().out
    for script in folder.glob('*.sh'):
        subprocess.run(['bash', '-n', str(script)], check=True)
    tasks = [(folder / f'tasks_{level}_1.txt').read_text().split() for level in (1, 2)]
    assert [len(names) for names in tasks] == [12, 15]
    assert all(name.startswith('student_') for name in tasks[1])
    recorder = tmp_path / 'bin/sbatch'  # says what it was given, and numbers the jobs
    recorder.parent.mkdir()
    recorder.write_text(f'#!/bin/bash\necho "$*" >> {tmp_path}/calls\necho $((100 + $(wc -l < {tmp_path}/calls)))\n')
    recorder.chmod(0o755)
    environment = {**os.environ, 'PATH': f'{recorder.parent}:{os.environ["PATH"]}'}
    subprocess.run(['bash', str(folder / 'submit.sh'), '--partition=cpu'], check=True, env=environment)
    assert (tmp_path / 'calls').read_text().splitlines() == [
        f'--parsable --partition=cpu --array=1-12 array.sh {folder}/tasks_1_1.txt',
        f'--parsable --partition=cpu --dependency=afterany:101 --array=1-15 array.sh {folder}/tasks_2_1.txt',
        '--partition=cpu --dependency=afterany:102 collect.sh',
    ]


def test_an_element_of_the_array_does_its_line_of_the_task_list(plan, tmp_path):
    """array.sh itself, with a replacement of Python that prints its arguments."""
    work = tmp_path / 'work'
    main([plan, '--work-dir', str(work), '--slurm'])
    script = (work / 'slurm/array.sh').read_text()
    line = next(line for line in script.splitlines() if '--only' in line)
    (tmp_path / 'array.sh').write_text(script.replace(line, 'echo ' + line.split(' ', 1)[1]))
    tasks = work / 'slurm/tasks_1_1.txt'
    out = subprocess.run(
        ['bash', str(tmp_path / 'array.sh'), str(tasks)],
        env={**os.environ, 'SLURM_ARRAY_TASK_ID': '3'},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    name = tasks.read_text().split()[2]
    assert out.strip() == f'-m icckd_mm experiment {plan} --work-dir {work} --only {name} --resume'
    (tmp_path / 'scontrol').write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / 'scontrol').chmod(0o755)
    for status, requeued in ((75, 'requeue 12'), (1, '')):
        (tmp_path / 'array.sh').write_text(script.replace(line, f'(exit {status}) &'))
        own = {'PATH': f'{tmp_path}:{os.environ["PATH"]}', 'SLURM_ARRAY_TASK_ID': '3', 'SLURM_JOB_ID': '12'}
        words = ['bash', str(tmp_path / 'array.sh'), str(tasks)]
        done = subprocess.run(words, env={**os.environ, **own}, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.strip()) == (status, requeued)


def test_runs_that_are_done_alone_are_collected(plan, tmp_path, capsys):
    """Also: the report can be written again from results.jsonl alone."""
    work = tmp_path / 'work'
    main([plan, '--work-dir', str(work), '--slurm'])
    name = next(n for n in (work / 'slurm/tasks_1_1.txt').read_text().split() if n.startswith('student_alone'))
    for _ in range(2):
        main([plan, '--work-dir', str(work), '--only', name, '--resume'])
    assert f'{name} is finished' in capsys.readouterr().out
    main([plan, '--work-dir', str(work), '--collect'])
    assert [record['run'] for record in read_results(work / 'results.jsonl')] == [name]
    before = (work / 'report.html').read_bytes()
    (work / 'report.html').unlink()
    main([plan, '--work-dir', str(work), '--report'])
    assert (work / 'report.html').read_bytes() == before


@pytest.mark.parametrize(
    ('flags', 'message'),
    [
        (['--workers', '0'], '--workers must be 1 to'),
        (['--workers', '4096'], 'the cores of this machine, got 4096'),
        (['--memory', '-5'], '--memory must be a finite number above 0, got -5.0'),
        (['--only', 'teacher_x'], 'the plan has no such run'),
        (['--report'], 'run the plan first'),
    ],
)
def test_flags_that_cannot_be_used_are_named(flags, message, plan, tmp_path):
    with pytest.raises(ValueError, match=message):
        main([plan, '--work-dir', str(tmp_path / 'work'), *flags])


def test_a_missing_plan_ends_in_one_line(tmp_path):
    done = subprocess.run(
        [os.sys.executable, 'tools/experiment.py', 'nowhere.py', '--dry-run'], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.strip() == 'error: plan nowhere.py does not exist; ls docs/study/plans lists ours'
