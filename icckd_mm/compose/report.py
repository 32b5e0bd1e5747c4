"""What the command prints: the layers of a network, and what to do next."""

from __future__ import annotations

from icckd_mm.compose.assembly import build_network, inspect_built
from icckd_mm.compose.composition import PLAN, Composition
from icckd_mm.compose.given.data import LARGE, find_data
from icckd_mm.compose.given.networks import find_network
from icckd_mm.compose.layers import Layer, NetworkLayers

MINUTE, HOUR, DAY = 1 / 60, 1.0, 24.0
USUAL = (100, 32)  # classes and side, where no data are named


def inspected(name: str, data: str | None, size: int | None) -> str:
    """The table of a network's layers.

    Args:
        name: The network.
        data: Images as for :func:`icckd_mm.compose.compose`, for classes and size; None: 100 classes.
        size: Side of the images; None: that of the data, or 32 for the benchmark's networks and 224 for others.

    Returns:
        A line for each layer: what it is, its name, its shape, what it serves.
    """
    classes, side = USUAL
    if data is not None:
        images = find_data(data, size, held_out=0.1, seed=0)
        classes, side = images.num_classes, images.size
    elif ':' in name or '/' in name or name.endswith('.py'):
        side = 224
    side = size or side
    network = find_network(name, classes, side, 'imagenet' if side >= LARGE else 'cifar')
    layers = inspect_built(network, build_network(network), side)
    rows = [('what', 'layer', 'shape', 'serves'), *_rows(layers)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = ['  '.join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]]) for row in rows]
    example = '' if data else f', with {classes} classes as an example; --data gives yours'
    return '\n'.join([f'{name} at {side}x{side}{example}', *lines])


def _rows(layers: NetworkLayers) -> list[tuple[str, str, str, str]]:
    rows = [_row('logits', layers.logits, 'kd, dkd, dist and others of logits')]
    rows.append(_row('pooled', layers.pooled, 'rkd, crd and others of features'))
    if layers.last_map is not None:
        rows.append(_row('last map', layers.last_map, 'simkd and others of the map that is pooled'))
    if layers.stem is not None:
        rows.append(_row('stem', layers.stem, ''))
    for number, stage in enumerate(layers.stages, 1):
        serves = 'fitnet, at and others of maps' if len(stage.output.shape) == 3 else 'the same, as a map of its tokens'
        rows.append(_row(f'stage {number}', stage.output, serves))
        if stage.before_relu is not None:
            rows.append(_row('  before its ReLU', stage.before_relu, 'ofd, reviewkd, ab'))
    if layers.loss_labels is not None:
        rows.append(_row('labels', layers.loss_labels, 'dkd, wsld and others that need them'))
    return rows


def _row(what: str, layer: Layer, serves: str) -> tuple[str, str, str, str]:
    place = f'in: {layer.source}' if layer.inputs else layer.source
    if layer.record_idx:
        place += f' (call {layer.record_idx + 1})'
    return what, place, ' x '.join(map(str, layer.shape)) or '-', serves


def next_commands(done: Composition) -> str:
    """The next three commands with their expected times, and that of the plan."""
    folder = '' if done.folder is None else f'{done.folder.as_posix()}/'
    student = next(iter(done.students))
    teachers = [name for name in done.teachers if '_' not in name]  # all that the students read, of an ensemble too
    run = done.students[student].work_dir
    lines = [
        f'{len(done.teachers) + len(done.students)} configs in {folder or "memory"} ran forward and backward; next:',
        *(f'  python -m icckd_mm train {folder}{name}.py  # {duration(done.hours[name])}' for name in (*teachers, student)),
        f'  python -m icckd_mm publish {run} --out published/{run.split("/")[1]} --no-index',
    ]
    if done.plan:
        lines.append(f'all of it with controls and seeds: python -m icckd_mm experiment {folder}{PLAN} --dry-run')
    return '\n'.join(lines)


def duration(hours: float) -> str:
    """A rough time in words.

    Example:
        >>> [duration(hours) for hours in (0.001, 0.2, 7.6, 100)]
        ['under a minute', 'about 12 minutes', 'about 7.6 hours', 'about 4.2 days']
    """
    if hours < MINUTE:
        return 'under a minute'
    if hours < HOUR:
        return f'about {(minutes := round(60 * hours))} minute' + 's' * (minutes > 1)
    return f'about {hours:.1f} hours' if hours < DAY else f'about {hours / DAY:.1f} days'
