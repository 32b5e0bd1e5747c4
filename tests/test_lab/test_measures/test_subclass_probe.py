"""What a network trained on coarse labels knows about the fine classes."""

import math

import pytest
import torch
from mmengine.registry import DATASETS
from mmengine.runner import Runner

from icckd_mm.datasets.wrappers.coarse_labels import CoarseLabels
from icckd_mm.lab.measures.features import extract
from icckd_mm.lab.measures.hidden_classes import hidden_classes
from icckd_mm.lab.measures.measure import measure
from icckd_mm.lab.measures.subclass_probe import AsTested, subclass_probe
from tests.helpers import CONV, build, config

PARITY = dict(type='icckd_mm.CoarseLabels', groups=[[0, 2, 4, 6, 8], [1, 3, 5, 7, 9]])


def by_hand(means_of, tested):
    """Loops over images in double precision."""
    unit = lambda row: [value / math.sqrt(sum(v * v for v in row)) for value in row]  # noqa: E731
    rows, owners = {}, {}
    for row, fine, coarse in zip(*(part.tolist() for part in means_of)):
        rows.setdefault(fine, []).append(unit(row))
        owners[fine] = coarse
    means = {fine: [sum(column) / len(group) for column in zip(*group)] for fine, group in rows.items()}
    right = {'fine': 0, 'within_coarse': 0, 'chance': 0.0}
    for row, fine, coarse in zip(*(part.tolist() for part in tested)):
        siblings = [other for other in means if owners[other] == coarse]
        right['fine'] += min(means, key=lambda other: math.dist(unit(row), means[other])) == fine
        right['within_coarse'] += min(siblings, key=lambda other: math.dist(unit(row), means[other])) == fine
        right['chance'] += 1 / len(siblings)
    return {name: 100 * count / len(tested[0]) for name, count in right.items()}


def problem(seed, images):
    generator = torch.Generator().manual_seed(seed)
    fine = torch.arange(images) % 7
    centres = torch.randn(7, 5, generator=torch.Generator().manual_seed(9))
    return centres[fine] + torch.randn(images, 5, generator=generator), fine, (fine > 2).long()


def test_the_probe_equals_loops_over_the_images():
    found, expected = subclass_probe(problem(0, 70), problem(1, 210)), by_hand(problem(0, 70), problem(1, 210))
    assert found == pytest.approx(expected, abs=1e-6)
    assert 0 < found['fine'] < found['within_coarse'] < 100


def test_lengths_of_features_do_not_count():
    features, fine, coarse = problem(1, 210)
    scaled = features * torch.rand(210, 1).add(0.1)
    assert subclass_probe(problem(0, 70), (scaled, fine, coarse)) == subclass_probe(problem(0, 70), problem(1, 210))


def test_collapsed_coarse_classes_leave_only_chance():
    """A network that gives every image of a coarse class one feature knows nothing of the classes inside: one guess for all."""
    _, fine, coarse = problem(0, 210)
    features = torch.eye(2)[coarse]
    found = subclass_probe((features, fine, coarse), (features, fine, coarse))
    assert found['within_coarse'] == found['fine'] == pytest.approx(found['chance'])


def test_classes_without_a_mean_or_with_two_groups_are_named():
    features, fine, coarse = problem(0, 70)
    seen = fine != 3
    with pytest.raises(ValueError, match=r'there are no training images of the fine classes \[3\]'):
        subclass_probe((features[seen], fine[seen], coarse[seen]), (features, fine, coarse))
    with pytest.raises(ValueError, match='must belong to one coarse class'):
        subclass_probe((features, fine, torch.arange(70) % 2), (features, fine, coarse))


def test_training_images_are_seen_as_test_images_are():
    """No crop, and spread over the whole training set."""
    crop = dict(type='RandomCrop', crop_size=8, padding=4)
    digits = dict(type='icckd_mm.Digits', scale=8, pipeline=[crop, dict(type='PackInputs')])
    train = DATASETS.build(dict(dataset=digits, **PARITY))
    plain = CoarseLabels(dict(digits, pipeline=[dict(type='PackInputs')]), PARITY['groups'])
    seen = AsTested(train, plain.dataset.pipeline, images=5)
    for index, row in enumerate(seen.rows):
        assert torch.equal(seen[index]['inputs'], plain[row]['inputs'])
        assert seen[index]['data_samples'].fine_label == plain.get_fine_labels()[row]
    assert seen.rows[-1] > 0.7 * len(train)


@pytest.fixture(scope='module')
def runner(tmp_path_factory):
    model = {**CONV, 'head': {**CONV['head'], 'num_classes': 2}}
    cfg = config(tmp_path_factory.mktemp('run'), model, hooks=(), views=1, validate=True)
    for loader in (cfg.train_dataloader, cfg.val_dataloader, cfg.test_dataloader):
        loader.dataset = dict(dataset={**loader.dataset, 'indices': 200}, **PARITY)
    cfg.experiment_name = 'subclass-probe'
    return Runner.from_cfg(cfg)


def test_measure_probes_what_has_fine_labels(runner):
    """The same figures from features taken one by one, with the loop of this file over them."""
    loader = runner.build_dataloader(runner.cfg.test_dataloader)
    train = runner.build_dataloader(runner.cfg.train_dataloader).dataset
    measured = measure(runner.model, loader, train)
    found = measured['subclass_probe']
    parts = []
    for data in (train, loader.dataset):
        pixels = [torch.from_numpy(data.get_data_info(i)['img']).permute(2, 0, 1) for i in range(len(data))]
        inputs = (torch.stack(pixels).float() - 78) / 82
        features = runner.model.eval().extract_feat(inputs)[-1]
        parts.append((features, torch.from_numpy(data.get_fine_labels()), torch.from_numpy(data.get_gt_labels())))
    assert found == pytest.approx(by_hand(*parts), abs=1.0)  # one image of 200 may stand on an edge
    assert found['chance'] == 20
    assert measured['hidden_classes'] == pytest.approx(hidden_classes(*parts), abs=1.5)
    assert not {'subclass_probe', 'hidden_classes'} & set(measure(runner.model, loader))


def test_samples_stand_in_the_order_of_their_features(runner):
    seen = extract(runner.model, runner.build_dataloader(runner.cfg.test_dataloader))
    assert seen.labels.tolist() == [sample.gt_label.item() for sample in seen.samples]
    assert len(seen.features) == len(seen.samples) == 200
    assert not runner.model.training


def test_a_network_of_nan_is_not_measured(runner):
    loader, bias = runner.build_dataloader(runner.cfg.test_dataloader), runner.model.head.fc.bias
    before = bias.detach().clone()
    bias.data[0] = torch.nan
    try:
        with pytest.raises(ValueError, match='NaN or infinite features or logits'):
            measure(runner.model, loader)
    finally:
        bias.data.copy_(before)


def test_plain_labels_have_no_probe(tmp_path):
    plain = build(tmp_path, hooks=(), views=1, validate=True)
    loader = plain.build_dataloader(plain._test_dataloader)
    found, seen = measure(plain.model, loader, loader.dataset), extract(plain.model, loader)
    shares = [
        (seen.logits[rows].argmax(dim=1) == label).double().mean() for label in range(10) for rows in [seen.labels == label]
    ]
    assert found['lowest_class'] == pytest.approx(100 * float(min(shares)), abs=1e-4)
    assert set(found) == {'geometry', 'ece', 'entropy', 'largest_class', 'lowest_class', 'cmi'}
