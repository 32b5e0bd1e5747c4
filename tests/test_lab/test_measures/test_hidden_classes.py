"""Probes of hidden classes, against loops, sklearn's own scores and features whose answer is known."""

import itertools
import math

import pytest
import torch
from sklearn.cluster import KMeans
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, normalized_mutual_info_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from icckd_mm.lab.measures.hidden_classes import clusters, hidden_classes, linear_probe, retrieval

COARSE = torch.tensor([0, 0, 1, 1, 1])  # of five fine classes


def problem(seed, images=100, spread=1.0):
    generator = torch.Generator().manual_seed(seed)
    fine = torch.arange(images) % 5
    centres = 2 * torch.randn(5, 6, generator=torch.Generator().manual_seed(9))
    return centres[fine] + spread * torch.randn(images, 6, generator=generator), fine, COARSE[fine]


def test_the_probe_equals_sklearns_pipeline():
    trained, tested = problem(0, spread=2.0), problem(1, 200, spread=2.0)
    found = linear_probe(trained, tested)
    peer = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(*(part.numpy() for part in trained[:2]))
    assert found['linear'] == pytest.approx(
        100 * peer.score(*(part.numpy() for part in tested[:2])), abs=1.0
    )  # N against N - 1
    scores = peer.decision_function(tested[0].numpy())
    right = 0
    for row, fine, coarse in zip(scores, tested[1].tolist(), tested[2].tolist()):
        siblings = [label for label in range(5) if COARSE[label] == coarse]
        right += max(siblings, key=lambda label: row[label]) == fine
    assert found['linear_within_coarse'] == pytest.approx(100 * right / 200, abs=1.0)
    assert found['linear'] < found['linear_within_coarse'] < 100


def test_a_probe_of_two_classes_has_both_scores():
    features, fine, coarse = (part[COARSE[problem(0)[1]] == 0] for part in problem(0, spread=0.1))
    assert linear_probe((features, fine, coarse), (features, fine, coarse)) == {'linear': 100, 'linear_within_coarse': 100}


def test_the_assignment_is_the_best_of_all_permutations():
    features, fine, _ = problem(0, 60, spread=3.0)
    found = clusters(features, fine)
    units = torch.nn.functional.normalize(features.double(), dim=1).numpy()
    guess = KMeans(5, n_init=10, random_state=0).fit_predict(units)
    best = max(sum(order[g] == y for g, y in zip(guess, fine.tolist())) for order in itertools.permutations(range(5)))
    assert found['kmeans_accuracy'] == pytest.approx(100 * best / 60)
    assert found['kmeans_nmi'] == pytest.approx(normalized_mutual_info_score(fine.numpy(), guess))
    assert 20 < found['kmeans_accuracy'] < 100


def test_clear_classes_are_found_whatever_the_lengths():
    features, fine, _ = problem(0, 60, spread=0.01)
    found = clusters(features * torch.arange(1, 61)[:, None], fine)
    assert (found['kmeans_nmi'], found['kmeans_accuracy']) == pytest.approx((1.0, 100.0))


def test_retrieval_equals_loops_and_sklearns_average_precision():
    features, fine, _ = problem(0, 40, spread=3.0)
    units = [[value / math.sqrt(sum(v * v for v in row)) for value in row] for row in features.double().tolist()]
    first, averages = 0, []
    for query, row in enumerate(units):
        others = [index for index in range(40) if index != query]
        cosines = [sum(a * b for a, b in zip(row, units[index])) for index in others]
        same = [int(fine[index] == fine[query]) for index in others]
        first += same[cosines.index(max(cosines))]
        averages.append(average_precision_score(same, cosines))
    found = retrieval(features, fine)
    assert found['retrieval_p1'] == pytest.approx(100 * first / 40)
    assert found['retrieval_map'] == pytest.approx(100 * sum(averages) / 40)
    assert 20 < found['retrieval_map'] < 100


def test_images_alone_in_their_class_are_no_queries():
    features = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0]])
    assert retrieval(features, torch.tensor([0, 0, 1])) == {'retrieval_p1': 100, 'retrieval_map': 100}
    assert retrieval(features, torch.tensor([0, 1, 2])) == {'retrieval_p1': 0, 'retrieval_map': 0}


def test_collapsed_coarse_classes_hide_the_fine_ones():
    """One feature per coarse class: k-means finds two clusters at most, and says so without a warning."""
    _, fine, coarse = problem(0, 100)
    collapsed = torch.eye(2)[coarse], fine, coarse
    found, clear = hidden_classes(collapsed, collapsed), hidden_classes(problem(0, spread=0.01), problem(1, spread=0.01))
    assert found['linear'] == found['kmeans_accuracy'] == 40  # one right class of each group, 20 images each
    assert all(found[name] < 0.8 * clear[name] for name in found)
    assert set(clear.values()) <= {1.0, 100.0}


def test_a_single_hidden_class_is_named():
    features, fine, coarse = problem(0)
    with pytest.raises(ValueError, match='at least two fine classes'):
        linear_probe((features, 0 * fine, coarse), (features, fine, coarse))
