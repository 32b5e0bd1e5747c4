"""Figures of soft labels and of differences between a student's and its teacher's logits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from torch import Tensor

from icckd_mm.lab.measures.soft_labels import SoftLabels
from icckd_mm.lab.style import DIVERGING, class_name, colour_bar, figure, grid_of, heat_map, legend_below, line_style, wrapped


def soft_labels_figure(found: dict[str, SoftLabels], temperature: float, classes: Sequence[str] = ()) -> Figure:
    """Draw heat maps of mean soft labels and, beside, of their standard deviation within the class; one row per run.

    Args:
        found: Name and soft labels of each run.
        temperature: Temperature of the soft labels, for the title.
        classes: Names of the classes. Defaults to their numbers.

    Returns:
        The figure; all runs share the scales.
    """
    made, axes = figure(2, len(found), 5.2, 4.6, 8)
    widest = max(float(np.nanmax(labels.deviation.numpy())) for labels in found.values() if labels.deviation.isfinite().any())
    highest = max(largest_beside(labels.mean) for labels in found.values())
    for (left, right), (name, labels) in zip(axes, found.items()):
        mean, deviation = labels.mean.numpy(), labels.deviation.numpy()
        means = heat_map(left, mean, '.0%', classes, norm=Normalize(0, highest, clip=True))
        deviations = heat_map(right, deviation, '.0%' if widest > 0.05 else '.1%', classes, norm=Normalize(0, widest))
        left.set_title(f'{wrapped(name)}: mean')
        right.set_title(f'{wrapped(name)}: deviation')
    whole, tenths = (PercentFormatter(1, decimals=places) for places in (0, 1))
    colour_bar(made, means, axes[:, 0].tolist(), 'mean (true class: off the scale)', extend='max', format=whole)
    colour_bar(made, deviations, axes[:, 1].tolist(), 'standard deviation in the class', format=tenths)
    made.suptitle(f'Soft labels of test images at temperature {temperature:g}', fontsize=12)
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


def logit_difference_figure(
    found: dict[str, Tensor], classes: Sequence[str] = (), teachers: Mapping[str, str] = MappingProxyType({})
) -> Figure:
    """Draw heat maps of student's minus teacher's logits, one panel per student.

    Args:
        found: Name and :func:`icckd_mm.lab.measures.soft_labels.logit_difference` of each.
        classes: Their names. Defaults to numbers.
        teachers: Name of the teacher by that of its student. Defaults to none, which titles leave out.

    Returns:
        The figure; all share a scale that is symmetric about 0.
    """
    titles = {name: wrapped(name) + (f'\nminus {wrapped(teachers[name])}' if name in teachers else '') for name in found}
    lines = max(title.count('\n') + 1 for title in titles.values())
    made, axes = grid_of(len(found), 5.6, 5.6, lines)
    largest = max(float(np.nanmax(difference.abs().numpy())) for difference in found.values()) or 1.0
    numbers = '+.1f' if largest >= 1 else '+.2f'
    for axis, (name, difference) in zip(axes, found.items()):
        image = heat_map(axis, difference.numpy(), numbers, classes, norm=Normalize(-largest, largest), cmap=DIVERGING)
        axis.set_title(titles[name])
    colour_bar(made, image, axes, 'student - teacher, centred logits')
    return made
