"""Measures what features tell of classes that training did not name: linear probe, clusters, nearest images."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from icckd_mm.datasets.even_subset import spread

IMAGES = 2000  # test images for clusters and retrieval, whose cost grows with the square of their number
STARTS = 10  # of k-means
Labelled = tuple[Tensor, Tensor, Tensor]


def hidden_classes(trained: Labelled, tested: Labelled) -> dict[str, float]:
    """All measures of this file.

    Args:
        trained: Features ``(N, D)``, fine labels ``(N,)`` and coarse labels ``(N,)`` of training images, for the probe.
        tested: The same of the test images; clusters and retrieval take up to 2,000 of them, evenly spread.

    Returns:
        :func:`linear_probe`, :func:`clusters` and :func:`retrieval`, in percent except the mutual information; rounded to 6
        digits.

    Raises:
        ValueError: If there are fewer than two fine classes.
    """
    trained, tested = ((features.detach(), fine, coarse) for features, fine, coarse in (trained, tested))
    features, fine, _ = tested
    rows = spread(len(fine), min(IMAGES, len(fine)))
    found = {
        **linear_probe(trained, tested),
        **clusters(features[rows], fine[rows]),
        **retrieval(features[rows], fine[rows]),
    }
    return {name: round(value, 6) for name, value in found.items()}


def linear_probe(trained: Labelled, tested: Labelled) -> dict[str, float]:
    """A logistic regression on frozen features, which are standardised by the training images.

    Args:
        trained: Features, fine labels and coarse labels of training images.
        tested: The same of the images to classify.

    Returns:
        Top-1 in percent: ``linear`` among all fine classes; ``linear_within_coarse`` among those of the true coarse class only.

    Raises:
        ValueError: If there are fewer than two fine classes.

    Source: Alain and Bengio 2016, arXiv 1610.01644; scikit-learn's L2 penalty with C = 1 is our choice.
    """
    from sklearn.linear_model import LogisticRegression  # heavy

    features, fine, coarse = trained
    if len(fine.unique()) < 2:
        raise ValueError('a probe of hidden classes needs at least two fine classes; check the groups of CoarseLabels')
    mean, deviation = features.double().mean(dim=0), features.double().std(dim=0)
    scale = deviation.where(deviation > 0, 1.0)
    rows, queries = (((part.double() - mean) / scale).numpy() for part in (features, tested[0]))
    with _without_convergence_warnings():
        probe = LogisticRegression(C=1.0, max_iter=1000).fit(rows, fine.numpy())
    scores = probe.decision_function(queries)
    if scores.ndim == 1:  # two classes
        scores = np.stack([-scores, scores], axis=1)
    owner = np.array([int(coarse[fine == label][0]) for label in probe.classes_])
    siblings = owner[None, :] == tested[2].numpy()[:, None]
    guesses = {'linear': scores, 'linear_within_coarse': np.where(siblings, scores, -np.inf)}
    right = {name: probe.classes_[score.argmax(axis=1)] == tested[1].numpy() for name, score in guesses.items()}
    return {name: 100 * float(hits.mean()) for name, hits in right.items()}


def clusters(features: Tensor, fine: Tensor) -> dict[str, float]:
    """How well k-means of the unit features, with as many clusters as fine classes, finds these.

    Args:
        features: ``(N, D)``.
        fine: Fine labels ``(N,)``.

    Returns:
        ``kmeans_nmi``, the mutual information of clusters and classes over the mean of their entropies, in ``[0, 1]``;
        ``kmeans_accuracy`` in percent, with the best assignment of one class to each cluster.

    Source: scikit-learn's k-means and ``normalized_mutual_info_score``; the assignment is that of Kuhn 1955.
    """
    from scipy.optimize import linear_sum_assignment  # heavy
    from sklearn.cluster import KMeans
    from sklearn.metrics import normalized_mutual_info_score

    classes, truth = np.unique(fine.numpy(), return_inverse=True)
    units = F.normalize(features.double(), dim=1).numpy()
    with _without_convergence_warnings():
        found = KMeans(len(classes), n_init=STARTS, random_state=0).fit_predict(units)
    table = np.zeros((len(classes), len(classes)))
    np.add.at(table, (found, truth), 1)
    right = table[linear_sum_assignment(table, maximize=True)].sum()
    return {
        'kmeans_nmi': float(normalized_mutual_info_score(truth, found)),
        'kmeans_accuracy': 100 * float(right) / len(truth),
    }


def retrieval(features: Tensor, fine: Tensor) -> dict[str, float]:
    r"""How often the images nearest to an image, by cosine, are of its fine class.

    Args:
        features: ``(N, D)``; each image is a query among all others. Images alone in their class are no queries.
        fine: Fine labels ``(N,)``.

    Returns:
        Percent, means over the queries: ``retrieval_p1``, the precision at 1; ``retrieval_map``, the average precision
        :math:`\frac1{R}\sum_{k:\,hit}\frac{\text{hits up to }k}{k}` over all ranks. Both 0 without queries. Ties rank by index.
    """
    units = F.normalize(features.double(), dim=1)
    order = (units @ units.T).fill_diagonal_(-torch.inf).argsort(dim=1, descending=True, stable=True)[:, :-1]
    hits = (fine[order] == fine[:, None]).double()
    relevant = hits.sum(dim=1)
    queries = relevant > 0
    if not queries.any():
        return {'retrieval_p1': 0.0, 'retrieval_map': 0.0}
    precision = hits.cumsum(dim=1) / torch.arange(1, hits.size(1) + 1)
    average = (precision * hits).sum(dim=1)[queries] / relevant[queries]
    return {'retrieval_p1': 100 * float(hits[queries, 0].mean()), 'retrieval_map': 100 * float(average.mean())}


@contextmanager
def _without_convergence_warnings() -> Iterator[None]:
    """Collapsed features have fewer points than clusters, which is a result and not a fault."""
    from sklearn.exceptions import ConvergenceWarning  # heavy

    with warnings.catch_warnings():
        warnings.simplefilter('ignore', ConvergenceWarning)
        yield
