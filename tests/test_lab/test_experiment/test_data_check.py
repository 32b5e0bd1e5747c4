"""A plan looks at its data before the first run, and stops if its first runs fail alike."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from icckd_mm.lab.experiment import runner as runners
from icckd_mm.lab.experiment.data_check import check_data
from icckd_mm.lab.experiment.graph import build_graph
from icckd_mm.lab.experiment.plan_file import check_plan
from icckd_mm.lab.experiment.runner import ALIKE, Study

ROOT = Path(__file__).parents[3]
LABELS = ('cat', 'dog')


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch):
    monkeypatch.chdir(ROOT)


def pictures(root, sizes):
    """A folder of two classes, with an image of each size (height, width) in both."""
    for label in LABELS:
        (root / label).mkdir(parents=True)
        for number, size in enumerate(sizes):
            cv2.imwrite(str(root / label / f'{number}.png'), np.full((*size, 3), 90, np.uint8))
    return dict(type='CustomDataset', data_root=str(root), metainfo=dict(classes=LABELS))


def runs(train, test, num_classes=2, seeds=(0,)):
    """The runs of a plan whose training images are cropped to 16x16 by the configs."""
    own = dict(configs='digits', train=train, test=test, num_classes=num_classes)
    plan = dict(name='own', seeds=list(seeds), default=dict(data='own'), designs=[dict(type='star', loss_weight=[0.02, 0.1])])
    return build_graph(check_plan({**plan, 'datasets': dict(own=own)}))


@pytest.fixture
def even(tmp_path):
    """Images of 16x16, as the configs of the digits take them."""
    return pictures(tmp_path / 'even', [(16, 16)] * 4)


def study(graph, tmp_path, said, **options):
    return Study(graph, tmp_path / 'work', say=said.append, **options)


def test_images_of_mixed_size_are_refused_before_the_first_run(even, tmp_path, monkeypatch):
    """Each run would fail by itself, with an error of torch's in its own log."""
    mixed = pictures(tmp_path / 'mixed', [(16, 16), (20, 24)])
    monkeypatch.setattr(runners, 'Workers', lambda *args: pytest.fail('a run was started'))
    with pytest.raises(
        ValueError, match=r"data 'own' \(configs/\S+\): val_dataloader gives images of different size"
    ) as caught:
        study(runs(even, mixed), tmp_path, []).run(1, resume=False)
    assert '(16x16, 20x24), which cannot form a batch; add a Resize or crop to val_dataloader.dataset.pipeline' in str(
        caught.value
    )


@pytest.mark.parametrize(
    ('size', 'classes', 'line'),
    [
        (24, 2, 'training images are 16x16, validation or test images 24x24; give both pipelines the same Resize or crop'),
        (16, 10, r'the head has 10 classes, the training set names 2; set model(\.architecture)?\.head\.num_classes=2'),
    ],
)
def test_other_sizes_and_classes_stop_a_plan_unless_it_says_that_they_are_meant(size, classes, line, even, tmp_path):
    graph = runs(even, pictures(tmp_path / 'test', [(size, size)]), classes)
    with pytest.raises(ValueError, match=rf'{line}.*; strict_data=False in the plan allows it'):
        study(graph, tmp_path, []).run(1, resume=False)
    said = []
    study(graph, tmp_path, said, strict_data=False).check_data(list(graph.values()))
    assert all(one.startswith('warning: data ') for one in said)
    assert 0 < len(said) <= len({run.recipe.config for run in graph.values()})


def test_data_that_fit_pass_and_each_is_looked_at_once(even, tmp_path, monkeypatch):
    from icckd_mm.engine import image_checks

    looked, look = [], image_checks.image_batch
    monkeypatch.setattr(image_checks, 'image_batch', lambda loader, place: [looked.append(place), look(loader, place)][1])
    graph = runs(even, pictures(tmp_path / 'test', [(16, 16)]), seeds=(0, 1, 2))
    assert check_data(graph.values(), strict=True) == []
    assert (
        1 < looked.count('train_dataloader') <= len({run.recipe.config for run in graph.values()}) < len(graph)
    )  # by pipeline
    assert 'test_dataloader' not in looked  # the same as validation


def test_missing_data_are_named_once_before_the_first_run(even, tmp_path):
    with pytest.raises(ValueError, match=r'val_dataloader: .*nowhere'):
        study(runs(even, {**even, 'data_root': str(tmp_path / 'nowhere')}), tmp_path, []).run(1, resume=False)


class Failing:
    """Workers whose tasks end at once, with the given errors and then without."""

    def __init__(self, errors):
        self.errors, self.task, self.started = list(errors), None, 0

    def idle(self):
        return [''] if self.task is None else []

    def start(self, task, gpu=''):
        self.task, self.started = task, self.started + 1

    def finished(self):
        task, self.task = self.task, None
        error = self.errors.pop(0) if self.errors else 'another'
        yield task, None, error.format(task.folder)

    def stop(self):
        pass


@pytest.mark.parametrize(
    ('errors', 'started'), [(['no batch in {}'] * ALIKE, ALIKE), (['no batch', 'no disk', 'no batch'], None)]
)
def test_a_plan_stops_after_the_first_failures_if_they_are_alike(errors, started, even, tmp_path, monkeypatch):
    pool, said = Failing(errors), []
    monkeypatch.setattr(runners, 'Workers', lambda *args: pool)
    graph = runs(even, even, seeds=range(4))
    failed = study(graph, tmp_path, said).run(1, resume=False)
    assert failed.keys() == graph.keys()
    if started:
        assert pool.started == started
        assert f'the first {ALIKE} runs failed alike: no further run starts' in said
    else:
        assert pool.started > ALIKE
