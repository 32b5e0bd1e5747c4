"""Style of all figures: readable in black and white, and for the colour-blind."""

from __future__ import annotations

import base64
import io
import re
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from icckd_mm.plain_text import plain

MARKERS = 'osD^v<>P*X'
LINES: list[Any] = ['-', '--', '-.', ':', (0, (6, 1, 1, 1, 1, 1))]
# the colours of Okabe and Ito without yellow, which is faint on white; then grey, brown and indigo for classes 7 to 9
COLOURS = ['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#000000', '#E69F00', '#56B4E9', '#888888', '#661100', '#332288']
SEQUENTIAL = 'cividis'  # its lightness rises evenly
DIVERGING = 'PuOr'  # white in the middle; told apart by the colour-blind
RC = {
    'font.size': 12,
    'axes.titlesize': 12,
    'axes.labelsize': 12,
    'legend.fontsize': 11,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'grid.alpha': 0.35,
    'pdf.fonttype': 42,  # keep text as text
}
LINE = 0.2  # inches per line of text
FEW = 12  # maximum number of classes for which heat maps show numbers
ACROSS = 2  # panels in a row; more would be too small in a page


def figure(columns: int, rows: int, width: float, height: float, lines: int = 0, **options: Any) -> tuple[Figure, Any]:
    """A figure with a grid of panels.

    Args:
        columns: Panels in a row.
        rows: Panels in a column.
        width: Width of a panel, in inches.
        height: Height of a panel, in inches.
        lines: Additional lines of text above or below the panels. Defaults to 0.
        **options: Options of ``Figure.subplots``.

    Returns:
        The figure and its axes ``(rows, columns)``.
    """
    with mpl.rc_context(RC):
        made = Figure(figsize=(width * columns, height * rows + LINE * lines), layout='constrained')
        made.get_layout_engine().set(h_pad=0.08)
        return made, made.subplots(rows, columns, squeeze=False, **options)


def grid_of(panels: int, width: float, height: float, lines: int = 0) -> tuple[Figure, list[Axes]]:
    """A figure with at most :data:`ACROSS` panels in a row, and the axes of its panels."""
    columns = min(ACROSS, panels)
    rows = -(-panels // columns)
    made, axes = figure(columns, rows, width, height, lines)
    for axis in axes.flat[panels:]:
        axis.set_visible(False)
    return made, list(axes.flat[:panels])


def line_style(index: int) -> dict[str, Any]:
    """Colour, line and marker of the run at ``index``; each one distinguishes the runs."""
    return {
        'color': COLOURS[index % len(COLOURS)],
        'linestyle': LINES[index % len(LINES)],
        'marker': MARKERS[index % len(MARKERS)],
        'markersize': 4.5,
        'linewidth': 1.6,
    }


def wrapped(name: str, width: int = 30) -> str:
    """A long name of a run on several lines, broken after ``_`` or ``-``."""
    return textwrap.fill(re.sub('([_-])', r'\1 ', name), width).replace('_ ', '_').replace('- ', '-')


def most_lines(names: Iterable[str]) -> int:
    """Number of lines of the longest name."""
    return max(wrapped(name).count('\n') + 1 for name in names)


def heat_map(axes: Axes, values: Any, numbers: str, names: Sequence[str] = (), **options: Any) -> Any:
    """Draw a matrix of classes by classes, with numbers if there are few classes.

    Args:
        axes: Axes to draw on.
        values: ``(C, C)``; NaN stays white.
        numbers: Format of the numbers, such as ``'.0%'``.
        names: Names of the classes. Defaults to their numbers.
        **options: Options of ``imshow``, such as ``norm`` and ``cmap``.

    Returns:
        The image, for the colour bar.
    """
    image = axes.imshow(values, **{'cmap': SEQUENTIAL, 'interpolation': 'nearest', **options})
    for side in ('top', 'right'):
        axes.spines[side].set_visible(True)
    axes.set_xlabel('class of the output')
    axes.set_ylabel('true class')
    if len(values) <= FEW:
        shown = [class_name(names, index) for index in range(len(values))]
        turned = 90 if max(map(len, shown)) > 3 else 0
        size = min(14, 85 / len(values))
        axes.set_xticks(range(len(values)), shown, rotation=turned)
        axes.set_yticks(range(len(values)), shown)
        for (row, column), value in _cells(values):
            dark = sum(image.cmap(image.norm(value))[:3]) < 1.5
            text = format(value, numbers)
            axes.text(column, row, text, ha='center', va='center', fontsize=size, color='white' if dark else 'black')
    return image


def colour_bar(made: Figure, image: Any, axes: Sequence[Axes], label: str, **options: Any) -> None:
    """One colour bar below several heat maps of a scale."""
    with mpl.rc_context(RC):
        bar = made.colorbar(image, ax=axes, location='bottom', shrink=0.9, aspect=25, pad=0.02, **options)
        bar.ax.tick_params(labelsize=11)
        bar.set_label(label, fontsize=11)


def class_name(names: Sequence[str], index: int) -> str:
    """The name of a class, or its number where names are not known."""
    name = plain(names[index], 18) if index < len(names) else str(index)
    return name.replace('$', r'\$')


def save(made: Figure, stem: Path | str) -> list[Path]:
    """Write ``stem.png`` and ``stem.pdf``.

    Returns:
        Both paths.
    """
    files = [Path(f'{stem}.{suffix}') for suffix in ('png', 'pdf')]
    for file in files:  # without date: the same figure gives the same bytes
        metadata = {'Software': None} if file.suffix == '.png' else {'CreationDate': None, 'Creator': None, 'Producer': None}
        with mpl.rc_context(RC):
            made.savefig(file, dpi=150, metadata=metadata)
    return files


def embedded(made: Figure) -> str:
    """The figure as a ``data:`` URL, to embed it in a page."""
    buffer = io.BytesIO()
    made.savefig(buffer, format='png', dpi=110)
    return f'data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}'


def legend_below(made: Figure, handles: Sequence[Any], labels: Sequence[str]) -> None:
    """One legend below all panels."""
    columns = 1 if max(map(len, labels)) > 45 else 2 if max(map(len, labels)) > 22 else 3
    with mpl.rc_context(RC):
        made.legend(handles, labels, loc='outside lower center', ncols=columns, frameon=False, handlelength=4)


def _cells(values: Any) -> list[tuple[tuple[int, int], float]]:
    size = range(len(values))
    return [((i, j), float(values[i][j])) for i in size for j in size if values[i][j] == values[i][j]]  # not NaN
