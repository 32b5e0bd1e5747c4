"""The command on real runs: a teacher and its student."""

import runpy
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from icckd_mm.lab.analysis.feature_space import feature_space
from icckd_mm.lab.analysis.figures import FIGURES
from icckd_mm.lab.analysis.run import AnalysedRun, named_runs
from tests.helpers import ICC, train
from tests.test_distill.cases import algorithm

TOOL = Path(__file__).parents[2] / 'tools' / 'analysis' / 'report.py'


@pytest.fixture(scope='module')
def runs(tmp_path_factory):
    """Work dirs of a teacher and of a student distilled from it."""
    folder = tmp_path_factory.mktemp('runs')
    options = dict(validate=True, images=48, epochs=2)
    train(folder / 'icc_teacher', **options)
    student = algorithm(str(folder / 'icc_teacher' / 'epoch_2.pth'))
    train(folder / 'kd_student', student, hooks=(), views=1, val_cfg=dict(type='icckd_mm.DistillValLoop'), **options)
    return folder


def report(*arguments):
    """The command as ``__main__``, but without a new process: exit status."""
    tool = runpy.run_path(str(TOOL))
    try:
        tool['run'](tool['main'], [str(argument) for argument in arguments])
    except SystemExit as end:
        return end.code
    return 0


class Page(HTMLParser):
    """The text of a page and the files it would load."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.figures, self.words = [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append(tag)
        self.addresses += [attrs[name] for name in ('src', 'href', 'srcset', 'data', 'action') if name in attrs]
        if tag == 'figure':
            self.figures.append(attrs['id'])

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_whole_and_loads_nothing(runs, tmp_path, capsys):
    both = runs / 'icc_teacher', runs / 'kd_student'
    assert report(*both, '--out', tmp_path / 'page.html', '--figures', tmp_path / 'figures') == 0
    output = capsys.readouterr().out
    text = (tmp_path / 'page.html').read_text(encoding='utf-8')
    page = Page(text)
    assert page.figures == list(FIGURES)
    assert len(page.addresses) == len(FIGURES)
    assert all(address.startswith('data:image/png;base64,') for address in page.addresses)
    assert not {'script', 'link', 'iframe', 'object'} & set(page.tags)
    assert '@import' not in text
    assert 'url(' not in text.partition('</style>')[0]
    words = ' '.join(page.words)
    for expected in ('icc_teacher', 'kd_student', 'epoch_2.pth', 'seed', '2 of 2 epochs', f'torch {torch.__version__}'):
        assert expected in words
    student = AnalysedRun(runs / 'kd_student', 'kd_student')
    assert f'{student.log.curves["accuracy/top1"][1][-1]:.2f} (epoch 2)' in words
    written = sorted(path.name for path in (tmp_path / 'figures').iterdir())
    assert written == sorted(f'{name}.{suffix}' for name in FIGURES for suffix in ('pdf', 'png'))
    assert output.count(str(tmp_path)) == len(written) + 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ['figures', 'page.html']


def test_what_is_drawn_is_what_was_validated(runs):
    """Weights and images are the right ones: the accuracies are those of the log, the teacher's too."""
    student = AnalysedRun(runs / 'kd_student', 'kd_student', [runs / 'icc_teacher'])
    for space, key in ((student.space, 'accuracy/top1'), (student.teacher_space, 'teacher.accuracy/top1')):
        assert space.accuracy == pytest.approx(student.log.curves[key][1][-1], abs=1e-4)
    assert len(student.space.labels) == 48
    given = AnalysedRun(runs / 'kd_student', 'kd_student', teacher=runs / 'icc_teacher' / 'epoch_2.pth')
    assert torch.equal(given.teacher_space.logits, student.teacher_space.logits)
    assert AnalysedRun(runs / 'kd_student', 'kd_student').teacher_space is None  # the teacher's file was not named
    assert AnalysedRun(runs / 'icc_teacher', 'icc_teacher').teacher_space is None


def test_the_demo_gets_the_same_features_from_config_and_checkpoint(runs):
    run = runs / 'icc_teacher'
    space = feature_space(str(next(run.glob('*/vis_data/config.py'))), str(run / 'epoch_2.pth'))
    expected = AnalysedRun(run, 'icc_teacher').space
    assert torch.equal(space.features, expected.features)
    assert torch.equal(space.logits, expected.logits)


def test_curves_alone_need_no_checkpoint_and_a_checkpoint_no_log(runs, tmp_path, capsys):
    log = next((runs / 'icc_teacher').glob('*/vis_data/scalars.json'))
    copied = tmp_path / 'run' / log.parents[1].name / 'vis_data' / log.name
    copied.parent.mkdir(parents=True)
    shutil.copy(log, copied)
    assert report(tmp_path / 'run', '--figures', tmp_path / 'figures', '--only', 'curves') == 0
    assert sorted(path.name for path in (tmp_path / 'figures').iterdir()) == ['curves.pdf', 'curves.png']
    shutil.copy(runs / 'kd_student' / 'epoch_2.pth', tmp_path / 'alone.pth')
    page = tmp_path / 'page.html'
    assert report(tmp_path / 'alone.pth', '--out', page, '--figures', tmp_path, '--only', 'curves', 'calibration') == 0
    assert 'curves: nothing to draw' in capsys.readouterr().out
    assert Page(page.read_text(encoding='utf-8')).figures == ['calibration']


def test_a_network_of_nan_is_not_drawn(runs, tmp_path, capsys):
    checkpoint = torch.load(runs / 'icc_teacher' / 'epoch_2.pth', weights_only=True)
    checkpoint['state_dict']['head.fc.bias'][0] = torch.nan
    torch.save(checkpoint, tmp_path / 'nan.pth')
    assert report(tmp_path / 'nan.pth', '--out', tmp_path / 'page.html') == 2
    assert 'NaN or infinite features or logits' in capsys.readouterr().err
    assert not (tmp_path / 'page.html').exists()


def test_names_tell_runs_apart(tmp_path):
    for name in ('a/run', 'b/run', 'b/other'):
        (tmp_path / name).mkdir(parents=True)
    paths = [str(tmp_path / name) for name in ('a/run', 'b/run', 'b/other')]
    assert [run.name for run in named_runs(paths)] == ['a/run', 'b/run', 'other']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['nowhere', '--out', 'page.html'], 'nowhere does not exist; name the work dir'),
        (['{runs}/icc_teacher'], 'give --out report.html, --figures DIR or both'),
        (['{runs}/icc_teacher', '{runs}/icc_teacher', '--out', 'page.html'], 'is given twice'),
        (['{runs}/icc_teacher', '--out', '{runs}'], 'is a folder; name a file'),
        (['{runs}/icc_teacher', '--figures', '{runs}/icc_teacher/epoch_2.pth'], 'is a file; name a folder'),
        (['{runs}', '--out', 'page.html'], 'has no last_checkpoint'),
        (['{runs}/icc_teacher', '--out', 'page.html', '--temperature', '0'], 'temperature must be a finite number above 0'),
        (['{runs}/icc_teacher', '--out', 'page.html', '--only', 'pie'], 'invalid choice'),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(runs, tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert report(*(argument.format(runs=runs) for argument in arguments)) == 2
    errors = capsys.readouterr().err
    assert message in errors
    assert 'Traceback' not in errors
    assert not list(tmp_path.iterdir())


def test_tensorboard_has_what_the_hook_logs(tmp_path):
    """mmengine's backend, read back from its event file."""
    reader = pytest.importorskip('tensorboard.backend.event_processing.event_accumulator')
    backends = [dict(type='LocalVisBackend'), dict(type='TensorboardVisBackend')]
    train(
        tmp_path,
        hooks=[{**ICC, 'log_interval': 2}],
        visualizer=dict(type='UniversalVisualizer', vis_backends=backends),
        validate=True,
    )
    events = reader.EventAccumulator(str(next(tmp_path.glob('*/vis_data'))))
    events.Reload()
    logged = AnalysedRun(tmp_path, 'run').log.curves
    for name in ('loss', 'loss_icc', 'icc_pass', 'icc_intra_cos', 'icc_inter_cos', 'icc_ratio', 'icc_fill', 'accuracy/top1'):
        assert [event.value for event in events.Scalars(name)] == pytest.approx(list(logged[name][1]), rel=1e-6)
