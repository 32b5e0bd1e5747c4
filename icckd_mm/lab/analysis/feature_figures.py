"""Figures of feature spaces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.manifold import TSNE

from icckd_mm.lab.measures.features import FeatureSpace
from icckd_mm.lab.style import COLOURS, MARKERS, class_name, grid_of, legend_below, most_lines, wrapped

MOST_CLASSES = 10  # more markers cannot be distinguished


def plot_feature_spaces(spaces: dict[str, FeatureSpace], path: Path | str) -> None:
    """Write :func:`features_figure`.

    Args:
        spaces: Title and space of each panel.
        path: PNG file to write.
    """
    features_figure(spaces).savefig(path, dpi=120)


def features_figure(spaces: dict[str, FeatureSpace], samples: int = 1000, classes: Sequence[str] = ()) -> Figure:
    """Draw t-SNE maps of several feature spaces of the same samples side by side.

    Args:
        spaces: Title and space of each panel.
        samples: Maximum number of images, the same in all panels, of the first ten classes. Defaults to 1000.
        classes: Names of the classes. Defaults to their numbers.

    Returns:
        The figure; always the same for the same spaces.

    Raises:
        ValueError: If the spaces are not of the same images.
    """
    first = next(iter(spaces.values()))
    for title, space in spaces.items():
        if not torch.equal(space.labels, first.labels):
            raise ValueError(f'{title} was tested on other images than {next(iter(spaces))}; compare runs on the same data')
    rows = chosen_rows(first.labels, samples)
    labels = first.labels[rows].numpy()
    made, axes = grid_of(len(spaces), 4.8, 4.2, 4 + most_lines(spaces))
    for axis, (title, space) in zip(axes, spaces.items()):
        points = embedding(space.features[rows].numpy())
        for label in np.unique(labels):
            axis.scatter(
                *points[labels == label].T,
                s=22,
                color=COLOURS[label % len(COLOURS)],
                marker=MARKERS[label % MOST_CLASSES],
                label=class_name(classes, int(label)),
                alpha=0.75,
                linewidths=0,
            )
        geometry = space.geometry
        axis.set_title(
            f'{wrapped(title)}\nintra {geometry["intra"]:.3f}, inter {geometry["inter"]:.3f}, ratio {geometry["ratio"]:.3f}'
        )
        axis.set(xticks=[], yticks=[], xlabel='t-SNE 1 (no unit)', ylabel='t-SNE 2 (no unit)')
    legend_below(made, *axes[0].get_legend_handles_labels())
    made.suptitle('Test features by t-SNE (cosine).\nDistances between clusters mean little, see the numbers.', fontsize=11)
    return made


def chosen_rows(labels: torch.Tensor, samples: int) -> torch.Tensor:
    """Indices of at most ``samples`` images of the first ten classes, always the same."""
    rows = (labels < MOST_CLASSES).nonzero().flatten()
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))
    return rows[order[:samples]].sort().values


def embedding(features: np.ndarray) -> np.ndarray:
    """t-SNE ``(N, 2)`` of features ``(N, D)`` by cosine distance; the random state is fixed."""
    return TSNE(metric='cosine', init='random', random_state=0, perplexity=min(30, len(features) / 4)).fit_transform(features)
