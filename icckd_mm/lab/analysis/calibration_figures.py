"""Reliability diagrams."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from icckd_mm.lab.measures.calibration import Calibration
from icckd_mm.lab.style import COLOURS, figure, legend_below, most_lines, wrapped


def calibration_figure(found: dict[str, Calibration]) -> Figure:
    """Draw accuracy against confidence and, beside, the images per bin; one row per run.

    Args:
        found: Name and calibration of each run.

    Returns:
        The figure.
    """
    made, axes = figure(2, len(found), 4.8, 3.0, 2 + most_lines(found), sharex=True)
    for (left, right), (name, calibrated) in zip(axes, found.items()):
        bins = len(calibrated.counts)
        width, centre = 1 / bins, (np.arange(bins) + 0.5) / bins
        accuracy, confidence = calibrated.accuracy.numpy(), calibrated.confidence.numpy()
        left.bar(centre, accuracy, width, color=COLOURS[6], edgecolor='black', linewidth=0.6, label='accuracy')
        left.bar(
            centre,
            confidence - accuracy,
            width,
            bottom=accuracy,
            facecolor='none',
            edgecolor=COLOURS[1],
            hatch='///',
            linewidth=0.6,
            label='gap to the confidence',
        )
        left.plot([0, 1], [0, 1], color='black', linestyle='--', linewidth=1, label='perfect')
        left.set(title=f'{wrapped(name)}\nECE {100 * calibrated.ece:.2f} %', ylim=(0, 1.02), ylabel='share of right answers')
        right.bar(centre, calibrated.counts.numpy(), width, color='0.6', edgecolor='black', linewidth=0.6)
        right.set(ylabel='images (log)', xlim=(0, 1), yscale='log', ylim=(0.7, None))
    for axis in axes[-1]:
        axis.set_xlabel('confidence (largest softmax)')
    legend_below(made, *axes[0, 0].get_legend_handles_labels())
    return made
