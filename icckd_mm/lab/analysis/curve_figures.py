"""Training curves of several runs in one figure."""

from __future__ import annotations

from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from icckd_mm.lab.analysis.curves import RunLog
from icckd_mm.lab.style import grid_of, legend_below, line_style
from icckd_mm.plain_text import plain

SHARE = (-0.03, 1.05)


class Panel(NamedTuple):
    """A panel: title, keys under which runs log its quantity, and unit."""

    title: str
    keys: tuple[str, ...]
    unit: str
    limits: tuple[float, float] | None = None


PANELS = (
    Panel('Classification loss (training)', ('student.loss', 'loss'), 'nats'),
    Panel('Intra-class contrastive loss, weighted', ('loss_icc',), 'nats'),
    Panel('Top-1 accuracy (validation)', ('accuracy/top1',), '%'),
    Panel('Images above the margin (icc_pass)', ('icc_pass',), 'share of the batch', SHARE),
    Panel('Within classes (icc_intra_cos)', ('icc_intra_cos',), 'cosine to the centre'),
    Panel('Between classes (icc_inter_cos)', ('icc_inter_cos',), 'cosine of centres'),
    Panel('Intra / inter distance (icc_ratio)', ('icc_ratio',), 'ratio'),
    Panel('Queue slots written (icc_fill)', ('icc_fill',), 'share of the slots', SHARE),
    Panel('Features, validation (features/ratio)', ('features/ratio',), 'intra / inter distance'),
    Panel('Soft labels, validation (soft_labels/ratio)', ('soft_labels/ratio',), 'intra / inter distance'),
)


KINDS = {'distill.': 'Distillation', 'generator.': 'Generator'}


def _distillation(logs: dict[str, RunLog]) -> list[Panel]:
    """A panel for each loss between student and teacher, and for those of a generator of images."""
    keys = sorted({key for log in logs.values() for key in log.curves if 'loss' in key})
    split = [(key, *key.split('.', 1)) for key in keys if key.startswith(tuple(KINDS))]
    return [Panel(f'{KINDS[kind + "."]}: {plain(name, 30)}, weighted', (key,), 'value') for key, kind, name in split]


def curves_figure(logs: dict[str, RunLog]) -> Figure:
    """Draw the quantities that at least one run logged, one panel each.

    Args:
        logs: Name and log of each run.

    Returns:
        The figure.

    Raises:
        ValueError: If no run logged any of the quantities.
    """
    panels = [
        panel
        for panel in (*PANELS[:2], *_distillation(logs), *PANELS[2:])
        if any(log.first(panel.keys) for log in logs.values())
    ]
    if not panels:
        raise ValueError(f'none of {", ".join(logs)} logged a loss or an accuracy; there is nothing to draw')
    made, axes = grid_of(len(panels), 4.8, 2.8, len(logs))
    unit = ' / '.join(sorted({log.unit for log in logs.values()}))
    handles: dict[str, Any] = {}
    for axis, panel in zip(axes, panels):
        for index, (name, log) in enumerate(logs.items()):
            points = log.first(panel.keys)
            if points is not None:
                (line,) = axis.plot(*points, markevery=max(1, len(points[0]) // 8), **line_style(index))
                handles.setdefault(name, line)
        axis.set(title=panel.title, ylabel=panel.unit, xlabel=unit, ylim=panel.limits)
        axis.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axis.grid(True)
    legend_below(made, list(handles.values()), list(handles))
    return made
