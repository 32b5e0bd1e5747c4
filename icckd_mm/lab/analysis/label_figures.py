"""Figures of soft labels and of differences between a student's and its teacher's logits."""

from __future__ import annotations

import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from torch import Tensor

from icckd_mm.lab.measures.soft_labels import SoftLabels
from icckd_mm.lab.style import figure, heat_map, legend_below, line_style, most_lines, wrapped

FLOOR = 1e-3  # of the logarithmic scale


def soft_labels_figure(found: dict[str, SoftLabels], temperature: float) -> Figure:
    """Draw heat maps of mean soft labels and, below, of their standard deviation within the class; one column per run.

    Args:
        found: Name and soft labels of each run.
        temperature: Temperature of the soft labels, for the title.

    Returns:
        The figure; all runs share the scales.
    """
    made, axes = figure(len(found), 2, 4.4, 4.0, 1 + most_lines(found))
    widest = max(float(np.nanmax(labels.deviation.numpy())) for labels in found.values() if labels.deviation.isfinite().any())
    for column, (name, labels) in enumerate(found.items()):
        mean, deviation = labels.mean.numpy(), labels.deviation.numpy()
        above = heat_map(axes[0, column], mean, '.2f', norm=LogNorm(FLOOR, 1, clip=True))
        below = heat_map(axes[1, column], deviation, '.2f', norm=Normalize(0, widest))
        axes[0, column].set_title(wrapped(name))
    made.colorbar(above, ax=axes[0].tolist(), label='mean soft label (log scale)', extend='min')
    made.colorbar(below, ax=axes[1].tolist(), label='standard deviation in the class')
    made.suptitle(f'Soft labels of test images at temperature {temperature:g}', fontsize=11)
    return made


def spread_figure(found: dict[str, SoftLabels]) -> Figure:
    """Draw the distance of the soft labels of a class to their mean, one mark per class and run.

    Args:
        found: Name and soft labels of each run.

    Returns:
        The figure.
    """
    made, axes = figure(1, 1, 7.5, 3.6, len(found))
    axis, handles = axes[0, 0], []
    for index, (name, labels) in enumerate(found.items()):
        shift = 0.12 * (index - (len(found) - 1) / 2)  # keeps marks of equal height apart
        style = {**line_style(index), 'linestyle': 'none', 'markersize': 7}
        handles += axis.plot(np.arange(len(labels.spread)) + shift, labels.spread.numpy(), label=name, **style)
    if len(labels.spread) <= 20:
        axis.set_xticks(range(len(labels.spread)))
    axis.set(xlabel='true class', ylabel='RMS distance to the mean soft label', title='Spread of soft labels inside each class')
    axis.set_ylim(0, 1.08 * axis.get_ylim()[1])  # no mark is clipped
    axis.grid(True)
    legend_below(made, handles, list(found))
    return made


def logit_difference_figure(found: dict[str, Tensor]) -> Figure:
    """Draw heat maps of student's minus teacher's logits, one column per student.

    Args:
        found: Name and :func:`icckd_mm.lab.measures.soft_labels.logit_difference` of each.

    Returns:
        The figure; all share a scale that is symmetric about 0.
    """
    made, axes = figure(len(found), 1, 4.8, 4.2, most_lines(found))
    largest = max(float(np.nanmax(difference.abs().numpy())) for difference in found.values()) or 1.0
    for axis, (name, difference) in zip(axes[0], found.items()):
        image = heat_map(axis, difference.numpy(), '+.1f', norm=Normalize(-largest, largest))
        axis.set_title(wrapped(name))
    made.colorbar(image, ax=axes[0].tolist(), label='student - teacher, centred logits')
    return made
