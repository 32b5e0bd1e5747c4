"""Figures of soft labels and of differences between a student's and its teacher's logits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from torch import Tensor

from icckd_mm.lab.measures.soft_labels import SoftLabels
from icckd_mm.lab.style import DIVERGING, class_name, figure, heat_map, legend_below, line_style, most_lines, wrapped


def soft_labels_figure(found: dict[str, SoftLabels], temperature: float, classes: Sequence[str] = ()) -> Figure:
    """Draw heat maps of mean soft labels and, below, of their standard deviation within the class; one column per run.

    Args:
        found: Name and soft labels of each run.
        temperature: Temperature of the soft labels, for the title.
        classes: Names of the classes. Defaults to their numbers.

    Returns:
        The figure; all runs share the scales.
    """
    made, axes = figure(len(found), 2, 4.4, 4.0, 1 + most_lines(found))
    widest = max(float(np.nanmax(labels.deviation.numpy())) for labels in found.values() if labels.deviation.isfinite().any())
    highest = max(largest_beside(labels.mean) for labels in found.values())
    for column, (name, labels) in enumerate(found.items()):
        mean, deviation = labels.mean.numpy(), labels.deviation.numpy()
        above = heat_map(axes[0, column], mean, '.2f', classes, norm=Normalize(0, highest, clip=True))
        below = heat_map(axes[1, column], deviation, '.2f', classes, norm=Normalize(0, widest))
        axes[0, column].set_title(wrapped(name))
    made.colorbar(above, ax=axes[0].tolist(), label='mean soft label (true class: off the scale)', extend='max')
    made.colorbar(below, ax=axes[1].tolist(), label='standard deviation in the class')
    made.suptitle(f'Soft labels of test images at temperature {temperature:g}', fontsize=11)
    return made


def largest_beside(mean: Tensor) -> float:
    """The largest mean soft label of a class other than the true one; it sets the scale of a heat map."""
    others = mean.clone().fill_diagonal_(0).nan_to_num(0)
    return float(others.max()) or 1.0


def spread_figure(found: dict[str, SoftLabels], classes: Sequence[str] = ()) -> Figure:
    """Draw the distance of the soft labels of a class to their mean, one mark per class and run.

    Args:
        found: Name and soft labels of each run.
        classes: Their names. Defaults to numbers.

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
        names = [class_name(classes, index) for index in range(len(labels.spread))]
        axis.set_xticks(range(len(names)), names, rotation=90 if max(map(len, names)) > 3 else 0)
    axis.set(xlabel='true class', ylabel='RMS distance to the mean soft label', title='Spread of soft labels inside each class')
    axis.set_ylim(0, 1.08 * axis.get_ylim()[1])  # no mark is clipped
    axis.grid(True)
    legend_below(made, handles, list(found))
    return made


def logit_difference_figure(found: dict[str, Tensor], classes: Sequence[str] = ()) -> Figure:
    """Draw heat maps of student's minus teacher's logits, one column per student.

    Args:
        found: Name and :func:`icckd_mm.lab.measures.soft_labels.logit_difference` of each.
        classes: Their names. Defaults to numbers.

    Returns:
        The figure; all share a scale that is symmetric about 0.
    """
    made, axes = figure(len(found), 1, 4.8, 4.2, most_lines(found))
    largest = max(float(np.nanmax(difference.abs().numpy())) for difference in found.values()) or 1.0
    for axis, (name, difference) in zip(axes[0], found.items()):
        image = heat_map(axis, difference.numpy(), '+.1f', classes, norm=Normalize(-largest, largest), cmap=DIVERGING)
        axis.set_title(wrapped(name))
    made.colorbar(image, ax=axes[0].tolist(), label='student - teacher, centred logits')
    return made
