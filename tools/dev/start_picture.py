#!/usr/bin/env python
"""Draw the picture of the start page from the tutorial's two teachers: feature spaces, and soft labels of three images."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

from icckd_mm.lab.analysis.feature_figures import chosen_rows, embedding
from icckd_mm.lab.analysis.run import AnalysedRun, named_runs
from icckd_mm.lab.style import COLOURS, MARKERS, RC

TEACHERS = {'control': 'cross-entropy (CE)', 'icc': 'intra-class contrastive (ICC)'}
TEMPERATURE = 4
DOTS = 110


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', nargs='?', type=Path, default=Path('work_dirs/tutorial'), help='of make tutorial')
    parser.add_argument('--out', type=Path, default=Path('docs/_static/teachers.png'), help='picture to write')
    args = parser.parse_args(argv)
    runs = named_runs([str(args.folder / name) for name in TEACHERS])
    with mpl.rc_context(RC):
        draw(runs).savefig(args.out, dpi=DOTS, metadata={'Software': None})
    print(args.out)


def draw(runs: Sequence[AnalysedRun]) -> Figure:
    """Two maps of features on the left, three images and their soft labels on the right."""
    figure = Figure(figsize=(12, 4.4), layout='constrained')
    left, right = figure.subfigures(1, 2, width_ratios=[2.1, 1.1])
    maps = left.subplots(1, 2)
    for axis, run in zip(maps, runs):
        features(axis, run)
    handles, names = maps[0].get_legend_handles_labels()
    left.legend(handles, names, loc='outside lower center', ncols=len(names), frameon=False, handletextpad=0.1)
    rows = right.subplots(3, 2, width_ratios=[1, 2])
    soft = {TEACHERS[run.name]: (run.space.logits / TEMPERATURE).softmax(1) for run in runs}
    for (picture, bars), place in zip(rows, most_different(runs)):
        sample = runs[0].space.samples[place]
        picture.imshow(imread(sample.img_path))
        picture.set_title(runs[0].classes[int(sample.gt_label)], fontsize=11)
        picture.axis('off')
        soft_labels(bars, runs[0].classes, {name: values[place] for name, values in soft.items()})
    handles, names = rows[0, 1].get_legend_handles_labels()
    right.legend(handles, names, loc='outside lower center', ncols=1, frameon=False)
    right.suptitle(f'Soft labels at temperature {TEMPERATURE}', fontsize=12)
    return figure


def features(axis: Axes, run: AnalysedRun) -> None:
    """The t-SNE map of a teacher's features of the validation images."""
    rows = chosen_rows(run.space.labels, 1000)
    labels, points = run.space.labels[rows].numpy(), embedding(run.space.features[rows].numpy())
    for label, name in enumerate(run.classes):
        chosen = points[labels == label]
        axis.scatter(*chosen.T, s=16, color=COLOURS[label], marker=MARKERS[label], label=name, alpha=0.7, linewidths=0)
    axis.set(xticks=[], yticks=[])
    axis.set_title(f'Teacher: {TEACHERS[run.name]}\nintra- / inter-class distance {run.space.geometry["ratio"]:.2f}')


def most_different(runs: Sequence[AnalysedRun]) -> list[int]:
    """Images of three classes that both teachers classify correctly, and on which their soft labels differ most."""
    first, second = ((run.space.logits / TEMPERATURE).softmax(1) for run in runs)
    labels = runs[0].space.labels
    right = (first.argmax(1) == labels) & (second.argmax(1) == labels)
    order = ((first - second).square().sum(1) * right).argsort(descending=True).tolist()
    found: dict[int, int] = {}
    for place in order:
        found.setdefault(int(labels[place]), place)
    return list(found.values())[:3]


def soft_labels(axis: Axes, classes: Sequence[str], values: Mapping[str, Any]) -> None:
    """One pair of bars per class."""
    for number, (name, probabilities) in enumerate(values.items()):
        places = np.arange(len(classes)) + 0.4 * number - 0.2
        hatch = '' if number == 0 else '////'
        axis.barh(places, probabilities, height=0.4, label=name, color=COLOURS[number], hatch=hatch, edgecolor='white')
    axis.set_yticks(range(len(classes)), classes, fontsize=10)
    axis.invert_yaxis()
    axis.set_xlim(0, 0.8)
    axis.set_xticks([0, 0.4, 0.8])
    axis.tick_params(axis='x', labelsize=9)


if __name__ == '__main__':
    main()
