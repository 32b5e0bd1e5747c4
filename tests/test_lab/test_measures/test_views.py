"""Measures of views and traces against loops over the images, and against scikit-learn and scipy."""

from collections import defaultdict

import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample
from scipy.special import log_softmax, logsumexp
from sklearn.metrics import roc_auc_score

from icckd_mm.datasets.multi_view_patterns import MultiViewPatterns
from icckd_mm.lab.measures.views import trace_signal, traced_classes, view_accuracy, view_measures

N, C = 120, 4


def data():
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(N, C, generator=generator)
    labels = torch.randint(C, (N,), generator=generator)
    logits[torch.arange(N), labels] += 2
    views = torch.randint(-1, 3, (N,), generator=generator)
    traces = torch.rand(N, C, generator=generator) < 0.3
    return logits, labels, views, traces


def test_accuracies_and_known_views_equal_a_count():
    logits, labels, views, _ = data()
    kinds, pairs = defaultdict(list), defaultdict(list)
    for row, label, view in zip(logits.tolist(), labels.tolist(), views.tolist()):
        right = max(range(C), key=row.__getitem__) == label
        kinds[view >= 0].append(right)
        if view >= 0:
            pairs[label, view].append(right)
    found = view_accuracy(logits, labels, views)
    assert found['multi_view'] == pytest.approx(100 * np.mean(kinds[False]))
    assert found['single_view'] == pytest.approx(100 * np.mean(kinds[True]))
    known = [np.mean(pair) >= 0.5 for pair in pairs.values()]
    assert 0 < sum(known) < len(known)
    assert found['views_learned'] == pytest.approx(100 * np.mean(known))


def test_half_of_a_views_images_are_enough_and_less_are_not():
    labels, views = torch.zeros(5, dtype=torch.long), torch.tensor([0, 0, 1, 1, 1])
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert view_accuracy(logits, labels, views)['views_learned'] == 50


@pytest.mark.parametrize('temperature', [1.0, 4.0])
def test_lift_and_area_equal_other_programs(temperature):
    logits, labels, views, traces = data()
    multi = views < 0
    found = trace_signal(logits, labels, traces, temperature, multi)
    logs = log_softmax(logits.double().numpy() / temperature, axis=1)
    lifts, areas = [], []
    for label in range(C):
        rest = logsumexp(np.delete(logs, label, axis=1), axis=1)  # log(1 - p) without cancellation
        chosen = (multi & (labels != label)).numpy()
        odds, present = (logs[:, label] - rest)[chosen], traces[:, label].numpy()[chosen]
        lifts.append(odds[present].mean() - odds[~present].mean())
        areas.append(roc_auc_score(present, odds))
    assert found['trace_lift'] == pytest.approx(np.mean(lifts), abs=1e-9)
    assert found['trace_auc'] == pytest.approx(np.mean(areas), abs=1e-12)


def test_soft_labels_of_class_alone_tell_nothing_and_of_traces_all():
    _, labels, _, traces = data()
    own = torch.nn.functional.one_hot(labels, C).float()
    blind, seeing = trace_signal(9 * own, labels, traces), trace_signal(9 * own + traces, labels, traces)
    assert (blind['trace_lift'], blind['trace_auc']) == (0, 0.5)
    assert seeing['trace_auc'] == 1
    assert seeing['trace_lift'] > 0.1


def test_the_area_is_blind_to_the_scale_of_the_logits_and_the_lift_is_not():
    logits, labels, _, traces = data()
    once, twice = trace_signal(logits, labels, traces, 4.0), trace_signal(2 * logits, labels, traces, 8.0)
    assert once == pytest.approx(twice)
    assert abs(trace_signal(2 * logits, labels, traces)['trace_lift']) > abs(once['trace_lift'])


def test_certainty_gives_finite_figures():
    """Probabilities of 1 in float64."""
    logits, labels, _, traces = data()
    assert np.isfinite(trace_signal(1e4 * logits, labels, traces)['trace_lift'])


def test_samples_of_the_data_set_are_read_and_others_passed_over():
    dataset = MultiViewPatterns('test', images=40, single_view=0.5)
    rows = [dataset.get_data_info(index) for index in range(40)]
    keep = ('view', 'traces')
    samples = [DataSample(metainfo={key: row[key] for key in keep}).set_gt_label(row['gt_label']) for row in rows]
    labels = torch.tensor([row['gt_label'] for row in rows])
    logits = torch.randn(40, 10, generator=torch.Generator().manual_seed(0))
    found = view_measures(logits, labels, samples)
    views = torch.tensor([row['view'] for row in rows])
    traces = torch.zeros(40, 10, dtype=torch.bool)
    for row, one in zip(rows, traces):
        for label, _ in row['traces']:
            one[label] = True
    assert torch.equal(traced_classes([row['traces'] for row in rows], 10), traces)
    assert found == {**view_accuracy(logits, labels, views), **trace_signal(logits, labels, traces, images=views < 0)}
    assert view_measures(logits, labels, [DataSample().set_gt_label(0)] * 40) == {}


def test_what_is_not_there_is_none():
    logits, labels, _, traces = data()
    none = torch.full_like(labels, -1)
    assert view_accuracy(logits, labels, none) == dict(
        multi_view=view_accuracy(logits, labels, none)['multi_view'], single_view=None, views_learned=None
    )
    assert trace_signal(logits, labels, torch.zeros_like(traces)) == dict(trace_lift=None, trace_auc=None)


def test_bad_arguments_are_named():
    logits, labels, views, traces = data()
    with pytest.raises(ValueError, match='views must be 120 integers'):
        view_accuracy(logits, labels, views[:7])
    with pytest.raises(ValueError, match=r'traces must be booleans of shape \(120, 4\), got torch.int64'):
        trace_signal(logits, labels, traces.long())
    with pytest.raises(ValueError, match='temperature must be a finite number above 0, got 0'):
        trace_signal(logits, labels, traces, 0)
    with pytest.raises(TypeError, match='logits must be a floating-point tensor'):
        view_accuracy(logits.long(), labels, views)
    samples = [DataSample(metainfo=dict(view=0, traces=[]))] * 3
    with pytest.raises(ValueError, match='of the same images, got 120 and 3'):
        view_measures(logits, labels, samples)
