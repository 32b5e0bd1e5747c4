"""Invalid files of results are named, with the line."""

import os
import signal
import socket
from collections import OrderedDict
from pathlib import Path

import pytest
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config

from icckd_mm.datasets.files.smaller_images import smaller
from icckd_mm.lab.analysis.curves import read_log
from icckd_mm.lab.experiment.graph import Run
from icckd_mm.lab.experiment.recipe import Recipe
from icckd_mm.lab.experiment.results import read_record, read_results
from icckd_mm.lab.experiment.runner import Study
from icckd_mm.lab.tuning.candidate import Candidate
from icckd_mm.lab.tuning.results import Results
from icckd_mm.regular_file import read_regular
from icckd_mm.zoo.network import Network
from icckd_mm.zoo.training_log import logged_metrics
from tests.test_lab.test_tuning.stand import setting

GOOD = b'{"run": "a", "time": {"wall_s": 1}}\n'
BAD = {
    'text': b'hello',
    'a list': b'[]',
    'a number': b'7',
    'a text with the word': b'"run"',
    'no name': b'{"stage": "teacher"}',
    'a name that is a list': b'{"run": ["a"]}',
    'times that are a number': b'{"run": "a", "time": 3}',
    'not UTF-8': b'\xff\xfe\x00',
    'nested deeply': b'[' * 100_000,
    'cut off': b'{"run": "a", "cur',
}


@pytest.mark.parametrize('name', BAD)
def test_a_bad_line_is_named_and_a_last_one_that_was_cut_is_passed_over(name, tmp_path):
    path = tmp_path / 'results.jsonl'
    path.write_bytes(GOOD + BAD[name] + b'\n' + GOOD)
    with pytest.raises(ValueError, match=r'results\.jsonl, line 2, is not a record of a run: .*; fix or remove') as error:
        read_results(path)
    assert '\n' not in str(error.value)
    path.write_bytes(GOOD + BAD[name])
    assert [record['run'] for record in read_results(path)] == ['a']


@pytest.mark.parametrize('content', [b'', *BAD.values()], ids=range(len(BAD) + 1))
def test_a_result_in_the_folder_of_a_run_that_cannot_be_read_is_named(content, tmp_path):
    run = Run('one', Recipe('teacher', 'ce', {}, 'config.py', {}), 0, 1)
    study = Study({'one': run}, tmp_path)
    assert study.records() == {}
    path = study.path(run) / 'result.json'
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'one/result\.json is not the record of a run: .*; remove it to run it again'):
        study.records()


PAIR = Candidate(2, dict(loss_weight=0.02, margin=0.5, temperature=0.1))
OTHERS = {
    'another run': (
        b'{"run": "a", "last_accuracy": 9, "time": {"wall_s": 1}}',
        'is the result of another run than student_cand',
    ),
    'no accuracy': (b'{"run": "a", "time": {"wall_s": 1}}', 'is not the record of a trial: it lacks an accuracy or a time'),
    'no time': (b'{"run": "a", "last_accuracy": 9}', 'it lacks an accuracy or a time'),
    'a text': (b'{"run": "a", "last_accuracy": "9", "time": {"wall_s": 1}}', 'it lacks an accuracy or a time'),
    'too much': (b'{"run": "a", "last_accuracy": 1e9, "time": {"wall_s": 1}}', 'it lacks an accuracy or a time'),
    'not a number': (b'{"run": "a", "last_accuracy": NaN, "time": {"wall_s": 1}}', 'it lacks an accuracy or a time'),
    'endless': (b'{"run": "a", "last_accuracy": 9, "time": {"wall_s": Infinity}}', 'it lacks an accuracy or a time'),
    **{name: (content, 'is not the record of a run: ') for name, content in BAD.items()},
}


@pytest.fixture
def pipe(tmp_path):
    """A named pipe without a writer, and five seconds to refuse it."""

    def late(*_):
        raise TimeoutError('the reader waits for a writer')

    os.mkfifo(tmp_path / 'pipe')
    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 5)
    yield tmp_path / 'pipe'
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def image(path):
    return LoadImageFromFile().transform({'img_path': str(path)})


def log_of(path):
    log = path.parent / 'a/vis_data/scalars.json'
    log.parent.mkdir(parents=True)
    os.rename(path, log)
    return read_log(path.parent)


READERS = {
    'results': read_results,
    'the result of a run': read_record,
    'an image of a data set': image,
    'an image that is scaled': lambda path: smaller(path, 4),
    'a log': log_of,
}


@pytest.mark.parametrize('reader', READERS)
def test_a_named_pipe_is_refused_and_not_waited_for(reader, pipe):
    with pytest.raises(ValueError, match='not a regular file'):
        READERS[reader](pipe)


def test_a_link_to_a_file_is_read_and_a_folder_is_not(tmp_path):
    (tmp_path / 'file').write_bytes(b'1')
    (tmp_path / 'link').symlink_to(tmp_path / 'file')
    assert read_regular(tmp_path / 'link') == b'1'
    with pytest.raises(ValueError, match='not a regular file'):
        read_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_regular(tmp_path / 'nowhere')
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / 's'))
        with pytest.raises(ValueError, match='not a regular file'):
            read_regular(tmp_path / 's')


@pytest.mark.parametrize('name', OTHERS)
def test_a_result_in_the_folder_of_a_trial_that_is_another_or_cannot_be_read_is_named(name, tmp_path):
    content, message = OTHERS[name]
    results = Results(setting(tmp_path))
    assert results.accuracy(PAIR, 1, 0) is None
    path = tmp_path / 'runs/candidate02/level1_seed00/student/result.json'
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        results.accuracy(PAIR, 1, 0)
    assert '\n' not in str(error.value)
    if name != 'another run':
        with pytest.raises(ValueError, match=r'student/result\.json is not'):
            results.spent()


def network(folder):
    return Network(Config({}), {}, OrderedDict(), {'epoch': 1, 'iter': 4}, False, folder / 'epoch_1.pth', None)


def test_a_log_that_was_cut_off_or_damaged(tmp_path):
    log = Path(tmp_path / 'a/vis_data/scalars.json')
    log.parent.mkdir(parents=True)
    row = b'{"accuracy/top1": 50.0, "step": 1}\n'
    log.write_bytes(row + b'{"accuracy/to')
    assert logged_metrics(network(tmp_path))[0] == {'accuracy/top1': 50.0}
    log.write_bytes(row + b'\xff{\n' + row)
    with pytest.raises(ValueError, match=r'scalars\.json, line 2, is not a JSON object'):
        logged_metrics(network(tmp_path))
