"""Every teacher and every student that the ablations name, trained for real on a few digits with narrow networks."""

import shlex
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import check_plan
from icckd_mm.lab.experiment.runner import Study
from icckd_mm.lab.experiment.train_run import last_checkpoint, train_run
from icckd_mm.teacher.second_views import SECOND_VIEWS
from tests.helpers import equal
from tests.integration.test_tools import command as tool

ROOT = Path(__file__).parents[2]
PAIRS = {'ce-2view': 'kd-crd', 'mcmi': 'kd-rkd', 'ls': 'dkd', 'ce-stop': 'ckd', 'icc-ft': 'kd'}
PLAN = dict(
    name='ablations',
    seeds=[0],
    default=dict(images=64, epochs=2, stop_epoch=1, finetune_epochs=1, queue_size=0, margin=-1.0, features='logits'),
    designs=[dict(type='product', teacher=[teacher], student=[student]) for teacher, student in PAIRS.items()],
    controls=[],
    networks=dict(
        teacher={'backbone.depth': 8, 'backbone.widths': (4, 4, 8, 8), 'head.in_channels': 8},
        student={'backbone.widths': (4, 4, 4, 4), 'head.in_channels': 4},
    ),
    options=dict(all={'val_dataloader.dataset.indices': 40, 'test_dataloader.dataset.indices': 40}),
)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """Folders of all runs by method, and their records."""
    folder, patch = tmp_path_factory.mktemp('ablations'), pytest.MonkeyPatch()
    patch.chdir(ROOT)
    study = Study(build_graph(check_plan(PLAN)), folder)
    records = {run.name: train_run(study.task(run, resume=False)) for run in study.graph.values()}
    yield study, records
    patch.undo()


def test_every_teacher_and_every_student_trains_in_the_lab(trained):
    """Also logits as features, no queue, and CRD on narrow networks with part of the images."""
    study, records = trained
    assert {
        (r['factors'].get('teacher'), r['factors'].get('student')) for r in records.values() if r['stage'] == 'student'
    } == set(PAIRS.items())
    for name, record in records.items():
        run = study.graph[name]
        assert record['epochs'] == {'ce-stop': 1, 'icc-ft': 1, 'mcmi': 1}.get(run.recipe.method, 2)
        assert 0 <= record['last_accuracy'] <= 100


def test_every_second_view_trains_in_the_lab(tmp_path, monkeypatch):
    """The bank sees one view of each image, the others two."""
    monkeypatch.chdir(ROOT)
    default = dict(images=64, epochs=2, margin=-1.0, loss_weight=0.3, student='none')
    design = dict(type='product', second_view=list(SECOND_VIEWS))
    study = Study(build_graph(check_plan({**PLAN, 'default': default, 'designs': [design]})), tmp_path)
    weights = {}
    for run in study.graph.values():
        train_run(study.task(run, resume=False))
        state = torch.load(last_checkpoint(study.path(run), run), weights_only=True)['state_dict']
        weights[run.recipe.factors['second_view']] = state['backbone.conv1.weight']
    assert set(weights) == set(SECOND_VIEWS)
    assert all(not torch.equal(weights[one], weights['grad']) for one in SECOND_VIEWS if one != 'grad')


def test_the_command_of_a_smoothed_teacher_can_be_typed_and_trains_with_its_loss(trained, tmp_path):
    """command.txt as a shell reads it, run by tools/train.py, gives the same weights, bit by bit."""
    study, _ = trained
    run = next(run for run in study.graph.values() if run.recipe.method == 'ls')
    words = shlex.split((study.path(run) / 'command.txt').read_text())[4:]
    words[words.index('--work-dir') + 1] = str(tmp_path)
    tool('train')(words)
    (used,) = tmp_path.glob('*.py')
    loss = Config.fromfile(used).model.head.loss
    assert (loss.type, loss.label_smooth_val, loss.mode) == ('LabelSmoothLoss', 0.1, 'original')
    files = tmp_path / 'epoch_2.pth', last_checkpoint(study.path(run), run)
    found, expected = (torch.load(file, weights_only=True)['state_dict'] for file in files)
    assert equal(found, expected)
    other = next(run for run in study.graph.values() if run.recipe.method == 'ce')
    plain = torch.load(last_checkpoint(study.path(other), other), weights_only=True)['state_dict']
    assert not equal(found, plain)  # the smoothing acts
