"""Pictures of feature spaces."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use('Agg')  # also on machines without a screen
import matplotlib.pyplot as plt
from sklearn.manifold import TSNE

from .feature_space import FeatureSpace

MARKERS = 'osD^v<>P*X'  # shapes beside colours: readable in black and white


def plot_feature_spaces(spaces: dict[str, FeatureSpace], path: Path | str) -> None:
    """Draw t-SNE maps of several feature spaces of the same samples side by side.

    Args:
        spaces (dict[str, FeatureSpace]): Title and space of each panel; at most ten classes are told apart.
        path (Path | str): Where the PNG goes.
    """
    figure, axes = plt.subplots(1, len(spaces), figsize=(5.2 * len(spaces), 5.2), squeeze=False)
    colours = plt.get_cmap('tab10')
    for axis, (title, space) in zip(axes[0], spaces.items()):
        features = space.features.numpy()
        points = TSNE(metric='cosine', init='random', random_state=0, perplexity=min(30, len(features) / 4)).fit_transform(
            features
        )
        for label in space.labels.unique().tolist():
            rows = points[(space.labels == label).numpy()]
            marker = MARKERS[label % len(MARKERS)]
            axis.scatter(*rows.T, s=14, color=colours(label % 10), marker=marker, label=str(label), alpha=0.8, linewidths=0)
        geometry = space.geometry
        axis.set_title(
            f'{title}\nintra {geometry["intra"]:.3f}, inter {geometry["inter"]:.3f}, ratio {geometry["ratio"]:.3f}', fontsize=11
        )
        axis.set_xticks([])
        axis.set_yticks([])
    axes[0, -1].legend(title='class', loc='center left', bbox_to_anchor=(1, 0.5), frameon=False)
    figure.suptitle(
        't-SNE of test features (cosine); distances between clusters of t-SNE mean little, see the numbers', fontsize=9
    )
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)
