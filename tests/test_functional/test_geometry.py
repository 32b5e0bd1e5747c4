import itertools
import math

import pytest
import torch

from icckd_mm.functional import class_geometry
from tests.reference import cosine


def slow(features, labels):
    groups = {}
    for row, label in zip(features.tolist(), labels.tolist()):
        norm = math.sqrt(sum(x * x for x in row))
        groups.setdefault(label, []).append([x / norm for x in row])
    groups = {label: rows for label, rows in groups.items() if len(rows) > 1}
    centres = {label: [sum(column) / len(rows) for column in zip(*rows)] for label, rows in groups.items()}
    intra = [sum(1 - cosine(row, centres[label]) for row in rows) / len(rows) for label, rows in groups.items()]
    inter = [1 - cosine(centres[a], centres[b]) for a, b in itertools.combinations(centres, 2)]
    intra, inter = sum(intra) / len(intra), sum(inter) / len(inter)
    return {'intra': intra, 'inter': inter, 'ratio': intra / inter}


@pytest.mark.parametrize('classes', [2, 3, 20])
def test_equals_the_definition_loop_by_loop(classes):
    features, labels = torch.randn(60, 6, dtype=torch.float64), torch.randint(classes, (60,))
    assert class_geometry(features, labels) == pytest.approx(slow(features, labels))


def test_orthogonal_features_have_a_closed_form():
    geometry = class_geometry(torch.eye(4), torch.tensor([0, 0, 1, 1]))
    assert geometry == pytest.approx({'intra': 1 - math.sqrt(0.5), 'inter': 1.0, 'ratio': 1 - math.sqrt(0.5)})


def test_a_class_with_one_sample_is_left_out():
    features, labels = torch.randn(7, 3), torch.tensor([0, 0, 0, 4, 4, 4, 9])
    assert class_geometry(features, labels) == pytest.approx(class_geometry(features[:6], labels[:6]))


@pytest.mark.parametrize(
    ('features', 'labels'),
    [
        (torch.zeros(0, 3), torch.zeros(0, dtype=torch.long)),
        (torch.randn(3, 3), torch.tensor([0, 1, 2])),
        (torch.randn(3, 3), torch.tensor([5, 5, 5])),
        (torch.zeros(4, 3), torch.tensor([0, 0, 1, 1])),
        (torch.ones(4, 3), torch.tensor([0, 0, 1, 1])),
        (torch.tensor([[1.0, 0], [-1.0, 0], [0, 1.0], [0, -1.0]]), torch.tensor([0, 0, 1, 1])),
    ],
)
def test_never_nan(features, labels):
    geometry = class_geometry(features, labels)
    assert all(math.isfinite(value) and value >= 0 for value in geometry.values())


def test_scale_and_order_do_not_matter():
    features, labels, order = torch.randn(30, 4), torch.randint(3, (30,)), torch.randperm(30)
    assert class_geometry(50 * features[order], labels[order]) == pytest.approx(class_geometry(features, labels), abs=1e-5)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match='2-D'):
        class_geometry(torch.zeros(3), torch.zeros(3, dtype=torch.long))
    with pytest.raises(TypeError, match='integer'):
        class_geometry(torch.zeros(3, 2), torch.zeros(3))
