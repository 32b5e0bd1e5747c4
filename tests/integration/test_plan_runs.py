"""Real runs of 64 digits, in workers; a runner to kill is a separate process."""

import contextlib
import io
import json
import multiprocessing as mp
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from icckd_mm.lab.experiment.code_version import code_version
from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import read_plan
from icckd_mm.lab.experiment.results import append_result, read_results, without_varying, write_results
from icckd_mm.lab.experiment.runner import Study
from icckd_mm.lab.experiment.workers import Workers
from tests.integration.test_tools import command as tool

ROOT = Path(__file__).parents[2]
PLAN = """
name = 'tiny'
seeds = [0]
default = dict(images=64, epochs=3, margin=-1.0)
designs = [dict(type='product', loss_weight=[0.1])]
controls = ['ce']
networks = dict(
    teacher={{'backbone.depth': 8, 'backbone.widths': (4, 4, 8, 8), 'head.in_channels': 8}},
    student={{'backbone.widths': (4, 4, 4, 4), 'head.in_channels': 4}},
)
options = dict(all={{'val_dataloader.dataset.indices': 40, 'test_dataloader.dataset.indices': 40, {all}}}, kd={{{kd}}})
"""


def run_plan(plan, folder, *flags):
    """Exit status and output of the command, called in this process; its workers are processes."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        patch.chdir(ROOT)
        try:
            tool('experiment')([str(plan), '--work-dir', str(folder), *flags])
        except SystemExit as end:
            return end.code, out.getvalue()
    return 0, out.getvalue()


def session(*arguments):
    os.setsid()
    status, out = run_plan(*arguments)
    print(out)
    sys.exit(status)


def start(*arguments):
    """The command in a process that can be killed; forked, so that it need not import torch again."""
    process = mp.get_context('fork').Process(target=session, args=arguments)
    process.start()
    return process


@pytest.fixture(scope='module')
def plan(tmp_path_factory):
    file = tmp_path_factory.mktemp('plan') / 'tiny.py'
    file.write_text(PLAN.format(all='', kd=''))
    return file


@pytest.fixture(scope='module')
def undisturbed(plan, tmp_path_factory):
    """One call of the plan, one run after the other."""
    folder = tmp_path_factory.mktemp('undisturbed')
    status, out = run_plan(plan, folder, '--workers', '1')
    assert status == 0, out
    return folder, out


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def figures(folder):
    """The bytes of results.jsonl without times and machine."""
    return [json.dumps(record) for record in without_varying(read_results(folder / 'results.jsonl'))]


def test_a_plan_gives_one_complete_record_a_run_sorted_by_run(undisturbed):
    folder, out = undisturbed
    records = read_results(folder / 'results.jsonl')
    assert [record['run'] for record in records] == sorted(record['run'] for record in records)
    assert sorted({(r['stage'], r['factors']['teacher'], r['seed']) for r in records}) == [
        (stage, teacher, seed) for stage in ('student', 'teacher') for teacher in ('ce', 'icc') for seed in (0,)
    ]
    teachers = {record['run']: record for record in records if record['stage'] == 'teacher'}
    for record in records:
        assert len(record['curve']) == 3
        assert record['last_accuracy'] == record['curve'][-1]
        assert record['best_accuracy'] == max(record['curve']) == record['curve'][record['best_epoch'] - 1]
        assert set(record['geometry']) == {'intra', 'inter', 'ratio'}
        assert record['code'] == code_version()
        if record['stage'] == 'student':  # measured in the student's run, as in its own
            assert record['teacher_accuracy'] == teachers[record['parent']]['last_accuracy']
    assert '[4/4]' in out
    assert 'time left' in out
    assert (folder / 'report.html').is_file()
    assert 'too few seeds' in (folder / 'report.md').read_text()


def test_a_killed_and_resumed_plan_ends_like_an_undisturbed_one(undisturbed, plan, tmp_path):
    """Also: two workers give what one gives; workers do not outlive a killed runner; finished runs are not done again."""
    for attempt in range(4):  # on a busy machine a worker may end its run before it notices
        folder = tmp_path / str(attempt)
        kill_within_a_run(plan, folder)
        cut = unfinished(folder)
        if cut:
            break
    before = read_results(folder / 'results.jsonl')
    assert 0 < len(before) < 4
    status, out = run_plan(plan, folder, '--workers', '1', '--resume')
    assert status == 0, out
    assert figures(folder) == figures(undisturbed[0])
    after = {record['run']: record for record in read_results(folder / 'results.jsonl')}
    assert all(after[record['run']] == record for record in before)  # with their times
    assert cut
    assert all(after[name]['time']['resumed'] for name in cut)


def kill_within_a_run(plan, folder):
    process = start(plan, folder, '--workers', '2')
    deadline = time.time() + 200
    while not ((folder / 'results.jsonl').exists() and read_results(folder / 'results.jsonl') and unfinished(folder)):
        assert time.time() < deadline
        assert process.is_alive()
        time.sleep(0.01)
    group = os.getpgid(process.pid)
    assert group == process.pid
    process.kill()  # the runner alone: its workers must notice
    process.join()
    while alive(group):
        assert time.time() < deadline
        time.sleep(0.05)


def unfinished(folder):
    runs = [file.parents[1] for file in folder.glob('runs/*/train/epoch_*.pth')]
    return [run.name for run in runs if not (run / 'result.json').exists()]


def alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize('signum', [signal.SIGINT, signal.SIGTERM])
def test_a_plan_that_is_asked_to_stop_ends_its_workers_in_order(signum, undisturbed, plan, tmp_path):
    """The whole group gets the signal, as from a terminal or Slurm; an unfinished run is saved and resumes there."""
    command = [sys.executable, 'tools/experiment.py', str(plan), '--work-dir', str(tmp_path), '--workers', '2']
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    deadline = time.time() + 200
    while not unfinished(tmp_path):
        assert time.time() < deadline
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.01)
    os.killpg(process.pid, signum)
    out, _ = process.communicate(timeout=280)
    status = process.returncode
    deadline = time.time() + 30
    assert status == (130 if signum == signal.SIGINT else 75), out
    assert out.splitlines()[-1] == f'stopped by {signum.name}; the same command with --resume continues'
    assert 'Traceback' not in out
    assert 'FAILED' not in out
    while alive(process.pid):  # multiprocessing's tracker notices last
        assert time.time() < deadline
        time.sleep(0.05)
    if signum == signal.SIGTERM:
        status, out = run_plan(plan, tmp_path, '--workers', '2', '--resume')
        assert status == 0, out
        assert figures(tmp_path) == figures(undisturbed[0])


def test_a_second_call_does_nothing_and_changes_nothing(undisturbed, plan):
    folder, _ = undisturbed
    before = (folder / 'results.jsonl').read_bytes()
    study = Study(build_graph(read_plan(plan)), folder, say=lambda line: None)
    assert study.todo() == []
    assert study.run(workers=1, resume=False) == {}
    assert (folder / 'results.jsonl').read_bytes() == before


def test_a_failed_run_is_named_with_its_log_and_the_others_go_on(tmp_path):
    """The students cannot learn at this rate; the teachers can, with data loaders in processes of their own."""
    file = tmp_path / 'plan.py'
    file.write_text(PLAN.format(all="'train_dataloader.num_workers': 1", kd="'optim_wrapper.optimizer.lr': 1e30"))
    status, out = run_plan(file, tmp_path / 'work', '--workers', '1')
    assert status == 1
    records = read_results(tmp_path / 'work/results.jsonl')
    assert [record['factors']['teacher'] for record in records] == ['ce', 'icc']
    assert out.count('FAILED student_kd_') == 2
    assert '2 of 4 runs have no result' in out
    (log,) = (tmp_path / 'work/runs').glob('student_kd_ce_*/log.txt')
    assert f'see {log}' in out
    assert 'Traceback' in log.read_text()


def test_a_worker_that_dies_is_replaced_and_its_run_has_failed(plan, tmp_path):
    graph = build_graph(read_plan(plan))
    study = Study(graph, tmp_path)
    pool = Workers(1)
    try:
        pool.start(study.task(next(iter(graph.values())), resume=False))
        assert not pool.idle()
        os.kill(pool.members[0].process.pid, signal.SIGKILL)
        ((task, record, error),) = pool.finished()
        assert (task.run, record) == (next(iter(graph.values())), None)
        assert 'ended by itself (exit status -9' in error
        assert pool.idle()
    finally:
        pool.stop()


def test_a_second_runner_in_the_folder_is_refused(undisturbed, plan):
    import fcntl

    folder, _ = undisturbed
    study = Study(build_graph(read_plan(plan)), folder, say=lambda line: None)
    with open(folder / 'lock', 'w') as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ValueError, match='another run is at work'):
            study.run(workers=1, resume=False)


def test_an_unfinished_last_line_is_passed_over_another_broken_one_is_named(tmp_path):
    file = tmp_path / 'results.jsonl'
    append_result(file, {'run': 'b', 'seed': 1})
    append_result(file, {'run': 'a', 'seed': 0})
    with open(file, 'a') as stream:
        stream.write('{"run": "c", "se')
    assert [record['run'] for record in read_results(file)] == ['b', 'a']
    for cut in range(1, len(line := '{"run": "λ"}'.encode())):  # at any byte, also within a character
        other = file.with_name('cut.jsonl')
        other.write_bytes(b'{"run": "b"}\n' + line[:cut])
        assert [record['run'] for record in read_results(other)] == ['b']
    write_results(file, read_results(file))
    assert file.read_text() == '{"run": "a", "seed": 0}\n{"run": "b", "seed": 1}\n'
    file.write_text('{"run": "a"}\nnonsense\n{"run": "b"}\n')
    with pytest.raises(ValueError, match='line 2'):
        read_results(file)


def test_results_of_an_earlier_plan_are_set_aside_and_found_again(undisturbed, plan, tmp_path):
    records = read_results(undisturbed[0] / 'results.jsonl')
    graph = build_graph(read_plan(plan))
    write_results(tmp_path / 'results.jsonl', [*records, {**records[0], 'run': 'old'}])
    Study(graph, tmp_path, say=lambda line: None).collect()
    assert read_results(tmp_path / 'results.jsonl') == records
    assert [record['run'] for record in read_results(tmp_path / 'earlier.jsonl')] == ['old']
    graph['old'] = next(iter(graph.values()))
    assert 'old' in Study(graph, tmp_path).records()


def test_the_estimate_is_the_mean_of_the_same_method_and_else_of_all(undisturbed, plan, tmp_path):
    graph = build_graph(read_plan(plan))
    runs = list(graph.values())
    assert Study(graph, tmp_path).seconds_left(runs, 2) is None
    assert Study(graph, tmp_path, seconds=10).seconds_left(runs, 2) == 20
    record = read_results(undisturbed[0] / 'results.jsonl')
    known = next(r for r in record if r['run'].startswith('teacher_icc_seed00'))
    write_results(tmp_path / 'results.jsonl', [{**known, 'time': {'wall_s': 6.0, 'cpu_s': 5.0, 'resumed': False}}])
    assert Study(graph, tmp_path, seconds=10).seconds_left(runs[:2], 2) == 6.0
