"""Draws all figures of some runs, each with a caption on how to read it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Callable, NamedTuple

from matplotlib.figure import Figure

from icckd_mm.lab.analysis.calibration_figures import calibration_figure
from icckd_mm.lab.analysis.curve_figures import curves_figure
from icckd_mm.lab.analysis.feature_figures import features_figure
from icckd_mm.lab.analysis.label_figures import logit_difference_figure, soft_labels_figure, spread_figure
from icckd_mm.lab.analysis.run import AnalysedRun
from icckd_mm.lab.measures.calibration import calibration
from icckd_mm.lab.measures.soft_labels import logit_difference, soft_labels

Runs = Sequence[AnalysedRun]


class Drawn(NamedTuple):
    """A figure with name and caption; without a figure if there is nothing to draw."""

    name: str
    caption: str
    figure: Figure | None


def _curves(runs: Runs, temperature: float) -> Figure | None:
    logs = {run.name: run.log for run in runs if run.log.curves}
    return curves_figure(logs) if logs else None


def _classes(runs: Runs) -> tuple[str, ...]:
    """Names of the classes, if all runs have the same."""
    names = {run.classes for run in runs}
    return names.pop() if len(names) == 1 else ()


def _features(runs: Runs, temperature: float) -> Figure:
    return features_figure({run.name: run.space for run in runs}, classes=_classes(runs))


def _soft_labels(runs: Runs, temperature: float) -> Figure:
    found = {run.name: soft_labels(run.space.logits, run.space.labels, temperature) for run in runs}
    return soft_labels_figure(found, temperature, _classes(runs))


def _spread(runs: Runs, temperature: float) -> Figure:
    found = {run.name: soft_labels(run.space.logits, run.space.labels, temperature) for run in runs}
    return spread_figure(found, _classes(runs))


def _logit_difference(runs: Runs, temperature: float) -> Figure | None:
    students = [run for run in runs if run.teacher_space is not None]
    found = {
        run.name: logit_difference(run.space.logits, run.teacher_space.logits, run.space.labels)  # type: ignore[union-attr]
        for run in students
    }
    teachers = {run.name: run.teacher_name for run in students}
    return logit_difference_figure(found, _classes(students), teachers) if found else None


def _calibration(runs: Runs, temperature: float) -> Figure:
    return calibration_figure({run.name: calibration(run.space.logits, run.space.labels) for run in runs})


FIGURES: dict[str, tuple[Callable[[Runs, float], Figure | None], str]] = {
    'curves': (_curves, "What the runs logged. The icc_ statistics are those of the teacher's queue and batch in training."),
    'features': (
        _features,
        'The input of the last linear layer for the same test images. A larger ratio of the distance within classes to that '
        'between them means that images of a class differ more.',
    ),
    'soft_labels': (
        _soft_labels,
        'Left the mean soft label of each true class, right how much it differs from image to image: a student learns the '
        'variety inside a class from what is not 0 on the right.',
    ),
    'spread': (_spread, 'The right heat map in one number for each class: root mean square distance to the mean soft label.'),
    'logit_difference': (
        _logit_difference,
        "Positive (violet) where the student's logit is above its teacher's, mean over the test images of a true class. Each "
        "image's logits are centred first, which a softmax does not see. For distillations whose teacher is among the "
        'runs, or given by --teacher.',
    ),
    'calibration': (
        _calibration,
        'Share of right answers against confidence in 15 bins, at temperature 1. ECE is the mean gap, weighted by images.',
    ),
}


def drawn(runs: Runs, only: Collection[str] = tuple(FIGURES), temperature: float = 4.0) -> Iterator[Drawn]:
    """Draw the figures one by one.

    Args:
        runs: The runs.
        only: Names of figures. Defaults to all.
        temperature: Temperature of the soft labels. Defaults to 4.0.

    Yields:
        The figures, in the order of :data:`FIGURES`.
    """
    for name, (draw, caption) in FIGURES.items():
        if name in only:
            yield Drawn(name, caption, draw(runs, temperature))
