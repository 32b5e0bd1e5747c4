"""The stages that ask a GPU: their times, files, plan and summary, and what a kill leaves."""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import device
from benchmarks.gpu import speed, study
from benchmarks.gpu.command import FILES, main, parse_args
from benchmarks.gpu.images import decode
from benchmarks.gpu.plans import CHOICES, choose, plan_of
from benchmarks.gpu.record import Record, read_record
from benchmarks.gpu.stages import WEIGHTS, box
from benchmarks.gpu.summary import summarise
from benchmarks.measure import Setting
from icckd_mm.datasets import ImageArrays
from icckd_mm.lab.experiment.graph import build_graph

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / 'tools/dev/gpu_quarter_hour.py'
QUICK = ['--device', 'cpu', '--quick']


def png(colour):
    return cv2.imencode('.png', np.full((4, 4, 3), colour, np.uint8)[:, :, ::-1])[1].tobytes()


def archive(path, files):
    with tarfile.open(path, 'w:xz') as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def test_the_times_of_the_stages_shrink_in_proportion_and_none_is_over_five_minutes():
    names = list(WEIGHTS)
    for minutes in (4, 8, 12, 30):
        left, used = 60.0 * minutes, []
        for index in range(len(names)):
            used.append(box(names[index:], left))
            left -= used[-1]
        assert max(used) <= 300
        if minutes <= 8:
            assert used == pytest.approx([60 * minutes * weight / 12 for weight in (3, 3, 6)])
    assert box(names[1:], 480 - 10) > box(names[1:], 480 - 120)  # what a stage does not use goes to the others


def test_at_most_eight_files_come_back():
    assert len(FILES) <= 8
    assert len(set(FILES)) == len(FILES)


def test_a_record_is_readable_after_each_check_and_goes_on_with_what_is_unfinished(tmp_path):
    path, facts, calls = tmp_path / 'speed.json', dict(stage='speed', device='cpu', quick=True), []

    def work(name, fails=False):
        def run():
            assert read_record(path)['items'][name]['outcome'] == 'running'
            calls.append(name)
            if fails:
                raise ValueError('no such thing')
            return {'value': 1}

        return run

    record = Record(path, facts)
    record.more['choice'] = [1, 2, 3]
    record.run('good', work('good'), float('inf'))
    record.run('bad', work('bad', fails=True), float('inf'))
    record.run('late', work('late'), 0.0)
    assert read_record(path)['items']['bad']['error'] == 'ValueError: no such thing'
    assert 'in run' in ''.join(read_record(path)['items']['bad']['traceback'])
    record.finish()
    assert json.loads(path.read_text())['status'] == 'cut'
    again = Record(path, facts)
    for name in ('good', 'bad', 'late'):
        again.run(name, work(name), float('inf'))
    again.finish()
    assert calls == ['good', 'bad', 'bad', 'late']
    assert (again.status, again.more) == ('finished', {'choice': [1, 2, 3]})
    assert Record(path, {**facts, 'device': 'cuda'}).items == {}


@pytest.mark.parametrize('content', ['', '{"items": 3}', '[1]', '{"items": '])
def test_a_damaged_record_counts_as_none(content, tmp_path):
    (tmp_path / 'study.json').write_text(content)
    assert read_record(tmp_path / 'study.json') == {'items': {}}
    assert 'not begun' in summarise(tmp_path)


def test_an_archive_of_images_becomes_arrays_red_first(tmp_path):
    colours = {'train/cat/0.png': (255, 0, 0), 'train/dog/0.png': (0, 255, 0), 'test/dog/0.png': (0, 0, 255)}
    source = archive(tmp_path / 'a.tar.xz', {f'./{name}': png(colour) for name, colour in colours.items()})
    target = tmp_path / 'work/images.npz'
    assert decode(source, target) == 3
    train, test = (ImageArrays(str(target), split) for split in ('train', 'test'))
    assert [tuple(train[i]['img'][0, 0]) for i in range(2)] == [(255, 0, 0), (0, 255, 0)]
    assert (train.get_gt_labels().tolist(), test.get_gt_labels().tolist()) == ([0, 1], [1])
    before = target.stat().st_mtime_ns
    assert decode(source, target) == 3
    assert target.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ('files', 'named'),
    [
        ({'train/cat/0.png': png(1)}, 'no files test/'),
        ({'train/cat/0.png': b'text', 'test/cat/0.png': png(1)}, 'not an image'),
        ({'train/cat/0.png': png(1), 'test/cat/0.png': b'\0' * 2**21}, 'bytes'),
        ({'train/cat/0.png': cv2.imencode('.png', np.zeros((5, 5, 3)))[1].tobytes(), 'test/cat/0.png': png(1)}, '2 sizes'),
    ],
)
def test_another_archive_is_refused(files, named, tmp_path):
    with pytest.raises(ValueError, match=named):
        decode(archive(tmp_path / 'a.tar.xz', files), tmp_path / 'images.npz')
    (tmp_path / 'b.tar').write_bytes(b'not a tar')
    with pytest.raises(ValueError, match='not a tar archive'):
        decode(tmp_path / 'b.tar', tmp_path / 'images.npz')


def test_the_choice_is_what_fits_twice():
    first, last = CHOICES[0][:3], CHOICES[-1][:3]
    assert choose(1.0, 280) == first
    assert choose(1000.0, 280) == last
    assert choose(None, 10**6) == first
    assert choose(25.0, 300) != choose(25.0, 10**6)


@pytest.mark.parametrize('file', [None, 'images.npz'])
def test_the_plan_has_the_cells_that_were_asked_for_on_a_gpu(file, monkeypatch):
    """All options fit the configs. A seed has four teachers, the student alone, and two students of each teacher."""
    monkeypatch.chdir(ROOT)
    graph = build_graph(plan_of(file, (56, 20, 30), 'cuda', quick=False))
    first = [run for run in graph.values() if run.seed == 0]
    methods = sorted((run.recipe.stage, run.recipe.method) for run in first)
    teachers = [('teacher', name) for name in ('ce', 'ce-2view', 'icc', 'icc')]
    assert methods == sorted([*teachers, ('student', 'alone'), *[('student', 'kd')] * 4, *[('student', 'kd-rkd')] * 4])
    for run in first:
        assert run.device_loader
        assert run.recipe.options['optim_wrapper.dtype'] == 'bfloat16'
    weights = {run.recipe.factors['loss_weight'] for run in first if run.recipe.method == 'icc'}
    assert weights == {0.02, 0.05}
    assert {run.recipe.factors['temperature'] for run in first if run.recipe.method == 'icc'} == {0.1}


def test_the_study_finds_the_speed_it_chooses_by(tmp_path):
    """Under the name that the speed stage gives it, among the first that it measures."""
    names = [name for name, _ in device.parts(Setting(device='cuda'))]
    assert study.STEP in names[: speed.FIRST]
    record = Record(tmp_path / 'speed.json', dict(stage='speed', device='cuda', quick=False))
    record.put(study.STEP, 'passed', tables=[dict(rows=dict(grad=dict(median_ms=7.0, peak_memory_mib=100.0)))])
    assert study.measured_step(tmp_path)['median_ms'] == 7.0
    assert study.measured_step(tmp_path / 'nowhere') == {}


def test_the_summary_names_failures_rates_and_accuracies(tmp_path):
    facts = dict(device='cuda', quick=False)
    correctness = Record(tmp_path / 'correctness.json', dict(stage='correctness', **facts))
    correctness.put('test_step.py::test_it', 'failed', error='AssertionError: no')
    correctness.finish()
    measured = Record(tmp_path / 'speed.json', dict(stage='speed', **facts))
    row = dict(median_ms=1.5, ratio=1.0, images_per_s=42667.0, peak_memory_mib=1234.5)
    measured.put('device', 'passed', tables=[dict(title='Steps', rows={'KD': row}, notes=['a note'])])
    trained = Record(tmp_path / 'study.json', dict(stage='study', **facts))
    trained.more['title'] = 'CIFAR-10'
    trained.save()
    runs = [dict(run=f'r{seed}', seed=seed, factors=dict(teacher='icc', student='kd', loss_weight=0.05)) for seed in (0, 1)]
    lines = [json.dumps(dict(run, last_accuracy=60.0 + run['seed'])) for run in runs]
    (tmp_path / 'results.jsonl').write_text('\n'.join(lines) + '\n')
    text = summarise(tmp_path)
    assert '- correctness: test_step.py::test_it: AssertionError: no' in text
    assert '| KD | 1.500 | 1.00 | 42,667 | 1,234 |' in text
    assert '| icc → kd, λ=0.05 | 2 | 60.50 | 60.00 | 61.00 |' in text


@pytest.mark.parametrize(
    ('arguments', 'named'),
    [
        ([], 'give --out'),
        (['--out', 'x', '--minutes', '0'], 'above 0'),
        (['--resume', 'nowhere'], 'not a folder'),
        (['--out', 'x', '--data', 'nowhere.tar'], 'does not exist'),
        (['--out', 'x', '--stages', 'sleep'], 'sleep'),
    ],
)
def test_wrong_arguments_are_refused_before_work(arguments, named, capsys):
    with pytest.raises(SystemExit) as error:
        parse_args(arguments)
    assert error.value.code == 2
    assert named in capsys.readouterr().err


def test_without_a_gpu_the_command_says_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    assert main(SCRIPT, ['--out', str(tmp_path / 'out')]) == 2
    assert '--device cpu --quick' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()


def test_a_stage_whose_process_breaks_off_is_a_failure_with_the_end_of_its_log(tmp_path):
    """As after a segmentation fault; here a script that knows no stages."""
    broken = tmp_path / 'broken.py'
    broken.write_text("raise SystemExit('no such thing')")
    assert main(broken, [*QUICK, '--stages', 'speed', '--minutes', '1', '--out', str(tmp_path / 'out')]) == 1
    (item,) = read_record(tmp_path / 'out/speed.json')['items'].values()
    assert item['outcome'] == 'failed'
    assert item['traceback'][-1] == 'no such thing'
    assert 'speed: the stage itself' in (tmp_path / 'out/summary.md').read_text()


def start(*arguments):
    return subprocess.Popen([sys.executable, '-I', str(SCRIPT), *QUICK, *map(str, arguments)], start_new_session=True)


@pytest.mark.slow  # it starts two processes that import torch
def test_what_was_finished_is_readable_after_a_kill_and_nothing_goes_on(tmp_path):
    command = start('--stages', 'speed', '--minutes', 4, '--out', tmp_path)
    path, deadline = tmp_path / 'speed.json', time.monotonic() + 200
    while not any(item['outcome'] == 'passed' for item in read_record(path)['items'].values()):
        assert time.monotonic() < deadline
        assert command.poll() is None
        time.sleep(0.2)
    os.kill(command.pid, signal.SIGKILL)
    command.wait()
    found = json.loads(path.read_text())
    assert found['status'] == 'running'
    assert found['items']['product']['tables'][0]['rows']['product']['median_ms'] > 0
    time.sleep(3)
    after = path.read_text()
    time.sleep(3)
    assert path.read_text() == after  # the stage has ended with the command


@pytest.mark.slow  # all stages, up to four minutes
def test_the_dry_run_on_a_cpu_ends_well_and_a_second_call_goes_on(tmp_path):
    first = start('--minutes', 4, '--out', tmp_path / 'out')
    assert first.wait(400) == 0
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert set(names) <= set(FILES)
    assert {'correctness.json', 'speed.json', 'study.json', 'summary.md', 'log.txt'} <= set(names)
    assert all(path.is_file() and path.stat().st_size < 16_000_000 for path in (tmp_path / 'out').iterdir())
    records = {name: read_record(tmp_path / f'out/{name}.json') for name in WEIGHTS}
    for record in records.values():
        outcomes = [item['outcome'] for item in record['items'].values()]
        assert 'passed' in outcomes
        assert 'failed' not in outcomes
    assert records['study']['data'] == 'digits'
    assert 'no photographs were given' in (tmp_path / 'out/summary.md').read_text()
    second = start('--minutes', 4, '--stages', 'study', '--resume', tmp_path / 'out', '--out', tmp_path / 'again')
    assert second.wait(300) == 0
    done = {name for name, item in records['study']['items'].items() if item['outcome'] == 'passed' and name != 'report'}
    again = read_record(tmp_path / 'again/study.json')['items']
    assert done <= again.keys()
    assert all(again[name] == records['study']['items'][name] for name in done)
