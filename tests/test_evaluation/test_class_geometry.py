"""The streamed geometry is that of all rows at once, for any batches, in any number of processes."""

import math
import os

import pytest
import torch
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope

import icckd_mm  # noqa: F401
from icckd_mm.evaluation import ClassGeometry
from icckd_mm.evaluation.class_sums import ClassSums
from icckd_mm.functional import class_geometry
from tests.helpers import build

N, C, D = 45, 5, 7


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        yield


def data(images=N, seed=0):
    """Logits, features, labels; one class has one image, one has none, one row is zero."""
    generator = torch.Generator().manual_seed(seed)
    logits, features = torch.randn(images, C, generator=generator), torch.randn(images, D, generator=generator)
    features[0] = 0
    labels = torch.randint(0, C - 2, (images,), generator=generator)
    labels[images // 2] = C - 2
    return logits, features, labels


def samples(logits, features, labels):
    scores = logits.softmax(dim=1)
    return [dict(pred_score=p, features=f, gt_label=y[None]) for p, f, y in zip(scores, features, labels)]


def measured(metric, rows, batch, size=None):
    for start in range(0, len(rows), batch):
        metric.process(None, rows[start : start + batch])
    return metric.evaluate(len(rows) if size is None else size)


def slow_geometry(rows, labels):
    """Plain Python, float64."""
    unit = [[v / (math.hypot(*row) or 1) for v in row] for row in rows.double().tolist()]
    by_class = {}
    for row, label in zip(unit, labels.tolist()):
        by_class.setdefault(label, []).append(row)
    centres, spreads = [], []
    for members in by_class.values():
        if len(members) < 2:
            continue
        centre = [sum(column) / len(members) for column in zip(*members)]
        centre = [v / math.hypot(*centre) for v in centre]
        spreads.append(sum(1 - sum(a * b for a, b in zip(row, centre)) for row in members) / len(members))
        centres.append(centre)
    pairs = [1 - sum(a * b for a, b in zip(x, y)) for i, x in enumerate(centres) for y in centres[i + 1 :]]
    intra, inter = sum(spreads) / len(spreads), sum(pairs) / len(pairs)
    return {'intra': intra, 'inter': inter, 'ratio': intra / inter}


@pytest.mark.parametrize('batch', [1, 2, 7, N])
@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_streamed_equals_all_rows(batch, temperature):
    logits, features, labels = data()
    rows = samples(logits.double(), features.double(), labels)
    soft = measured(ClassGeometry(temperature=temperature), rows, batch)
    deep = measured(ClassGeometry('features'), rows, batch)
    for found, name, matrix in (
        (soft, 'soft_labels', (logits.double() / temperature).softmax(dim=1)),
        (deep, 'features', features.double()),
    ):
        for expected in (class_geometry(matrix, labels), slow_geometry(matrix, labels)):
            assert found == pytest.approx({f'{name}/{key}': value for key, value in expected.items()}, abs=1e-12)


def test_temperature_acts_on_soft_labels_only():
    rows = samples(*data())
    assert len({measured(ClassGeometry(temperature=t), rows, 8)['soft_labels/ratio'] for t in (1.0, 2.0, 4.0)}) == 3
    assert len({measured(ClassGeometry('features', temperature=t), rows, 8)['features/ratio'] for t in (1.0, 4.0)}) == 1


def test_a_second_evaluation_starts_afresh():
    metric, rows = ClassGeometry(), samples(*data())
    first = measured(metric, rows, 8)
    measured(metric, samples(*data(seed=1)), 8)
    assert measured(metric, rows, 8) == first


def test_nothing_to_measure_is_zero():
    """As class_geometry: no class with two images, then one such class."""
    sums = ClassSums(3, 4)
    sums.add(torch.eye(4)[:2], torch.tensor([0, 1]))
    assert sums.geometry() == {'intra': 0.0, 'inter': 0.0, 'ratio': 0.0}
    sums.add(torch.eye(4)[2:3], torch.tensor([0]))
    rows, labels = torch.eye(4)[:3].double(), torch.tensor([0, 1, 0])
    assert sums.geometry() == pytest.approx(class_geometry(rows, labels))
    assert sums.geometry()['intra'] > 0


def rank_geometry(images, folder):
    """One of several processes with the images that DefaultSampler deals it."""
    os.chdir(folder)  # mmengine makes a folder where it is
    rows = samples(*data(images))
    own = [rows[index] for index in DefaultSampler(rows, shuffle=False)]
    soft = dict(type='icckd_mm.ClassGeometry')
    deep = dict(type='icckd_mm.ClassGeometry', source='features', collect_device='gpu')  # the other way to collect
    evaluator = Evaluator([soft, deep])
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        for start in range(0, len(own), 3):
            evaluator.process(own[start : start + 3])
        return len(own), evaluator.evaluate(images)


@pytest.mark.parametrize('images', [44, 45, 13, 1])
def test_two_processes_equal_one(processes, images, tmp_path, monkeypatch):
    """With an odd number the sampler repeats an image, which must not count twice; every rank knows the result."""
    monkeypatch.chdir(tmp_path)
    results = processes.run(rank_geometry, images, str(tmp_path))
    alone = rank_geometry(images, tmp_path)[1]
    assert [count for count, _ in results] == [math.ceil(images / 2)] * 2
    for _, found in results:
        assert found == pytest.approx(alone, abs=1e-12)


def test_soft_labels_of_very_many_classes_are_refused_before_the_first_step(tmp_path):
    """Their table has a column per class: 3.6 GiB for ImageNet-21k, three times that for a moment."""
    metric = dict(type='icckd_mm.ClassGeometry')
    runner = build(tmp_path, hooks=(), views=1, validate=True, val_evaluator=[metric])
    runner._val_dataloader['dataset']['metainfo'] = dict(classes=[str(number) for number in range(21_841)])
    with pytest.raises(ValueError, match=r"21841 classes .* 3\.6 GiB, allowed is 1; measure source='features'"):
        runner.train()
    assert not list(tmp_path.glob('*.pth'))
    with pytest.raises(ValueError, match='needs a table of'):
        ClassSums(21_841, 21_841)
    assert ClassSums(21_841, 64).counts.numel() == 21_841  # features are narrow


def test_the_table_is_not_copied_class_by_class(monkeypatch):
    """All classes were once stacked twice to measure the distances between their centres."""
    sums, widest = ClassSums(6, 4), []
    sums.add(torch.rand(24, 4), torch.arange(6).repeat(4))
    expected = sums.geometry()
    monkeypatch.setattr(torch.Tensor, 'repeat', lambda *args: widest.append(args))
    assert sums.geometry() == expected
    assert not widest


def test_a_repeated_image_would_change_the_figure():
    """Or the test above proves nothing."""
    rows = samples(*data(45))
    once, twice = measured(ClassGeometry(), rows, 3), measured(ClassGeometry(), [*rows, rows[0]], 3, size=46)
    assert once != twice
    assert once == pytest.approx(measured(ClassGeometry(), [*rows, rows[0]], 3, size=45), abs=0)


def without(rows, name):
    return [{key: value for key, value in row.items() if key != name} for row in rows]


@pytest.mark.parametrize(
    ('options', 'change', 'message'),
    [
        (dict(source='logits'), None, 'source must be one of soft_labels, features'),
        (dict(temperature=0), None, 'temperature must be a finite number above 0'),
        (dict(temperature=float('nan')), None, 'temperature must be'),
        (dict(source='features'), lambda rows: without(rows, 'features'), 'PredictedFeaturesHook'),
        ({}, lambda rows: without(rows, 'pred_score'), 'no pred_score, only features, gt_label'),
        ({}, lambda rows: without(rows, 'gt_label'), 'needs one gt_label'),
        ({}, lambda rows: [{**rows[0], 'gt_label': torch.tensor([1, 2])}], 'needs one gt_label'),
        ({}, lambda rows: [{**rows[0], 'gt_label': torch.tensor([C])}], f'labels run from {C} to {C}, but the model predicts'),
        ({}, lambda rows: [*rows, *rows], 'whose share of 45 is 45'),
        ({}, lambda rows: [], 'saw no image'),
    ],
)
def test_bad_input_is_named(options, change, message):
    with pytest.raises(ValueError, match=message):
        measured(ClassGeometry(**options), change(samples(*data())), 100, size=N)
