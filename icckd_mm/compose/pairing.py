"""Layers of a teacher and a student that belong together."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import replace

from icckd_mm.compose.layers import Layer, NetworkLayers, Stage
from icckd_mm.compose.parts import Pair


def paired_stages(pair: Pair, method: str) -> list[tuple[Stage, Stage]]:
    """Stages of student and teacher, one to one, as maps; of the network with more those whose sides are nearest.

    Args:
        pair: The networks.
        method: Name of the distiller, for the message.

    Returns:
        At least one pair, first to last. The benchmark's pairs have equally many stages; the choice for others is ours.

    Raises:
        ValueError: If a network has no stage, or its tokens fill no map.
    """
    student, teacher = (_as_maps(net, who, method) for net, who in ((pair.student, 'student'), (pair.teacher, 'teacher')))
    if len(student) > len(teacher):
        return [(own, other) for other, own in _nearest(teacher, student)]
    return _nearest(student, teacher)


def _as_maps(network: NetworkLayers, who: str, method: str) -> list[Stage]:
    if not network.stages:
        raise ValueError(f'{method} compares the outputs of stages; no stage of the {who} was found; use kd')
    return [replace(stage, output=as_map(stage.output, who, method)) for stage in network.stages]


def as_map(layer: Layer, who: str, method: str) -> Layer:
    """A layer as a map; tokens get one, see :meth:`Layer.as_map`.

    Args:
        layer: The layer.
        who: ``'student'`` or ``'teacher'``, for the message.
        method: Name of the distiller, for the message.

    Returns:
        A layer with three sizes.

    Raises:
        ValueError: If it is a vector.
    """
    if len(layer.shape) not in (2, 3):
        raise ValueError(f'{method} needs maps, the {who} has {layer.shape} at {layer.source}; use kd')
    return layer.as_map()


def _nearest(fewer: list[Stage], more: list[Stage]) -> list[tuple[Stage, Stage]]:
    """The choice from ``more`` whose sides differ least from those of ``fewer``, of several the deepest."""

    def distance(chosen: Iterable[Stage]) -> float:
        return sum(abs(math.log2(a.output.shape[1] / b.output.shape[1])) for a, b in zip(fewer, chosen))

    choices = reversed(list(itertools.combinations(more, len(fewer))))
    return list(zip(fewer, min(choices, key=distance)))


def last_stages(pair: Pair, method: str) -> tuple[Layer, Layer]:
    """Outputs of the last stages of student and teacher, which are not always the maps that are pooled.

    Args:
        pair: The networks.
        method: Name of the distiller, for the message.

    Returns:
        The student's and the teacher's.

    Raises:
        ValueError: If a network has no stage.
    """
    for who, net in (('student', pair.student), ('teacher', pair.teacher)):
        if not net.stages:
            raise ValueError(f'{method} compares the outputs of the last stages; no stage of the {who} was found')
    student, teacher = (net.stages[-1].output for net in (pair.student, pair.teacher))
    return as_map(student, 'student', method), as_map(teacher, 'teacher', method)


def last_maps(pair: Pair, method: str, same: bool = False) -> tuple[Layer, Layer]:
    """The maps that student and teacher pool.

    Args:
        pair: The networks.
        method: Name of the distiller, for the message.
        same: Whether both must have one shape.

    Returns:
        The student's and the teacher's.

    Raises:
        ValueError: If a network pools no map, or the shapes differ and must not.
    """
    student, teacher = pair.student.last_map, pair.teacher.last_map
    if student is None or teacher is None:
        who = 'student' if student is None else 'teacher'
        raise ValueError(f'{method} needs the map that is pooled, the {who} has none; use kd or another distiller of logits')
    student, teacher = as_map(student, 'student', method), as_map(teacher, 'teacher', method)
    if same and student.shape != teacher.shape:
        raise ValueError(f'{method} needs maps of one shape, the student has {student.shape}, the teacher {teacher.shape}')
    return student, teacher


def labels_of(pair: Pair, method: str) -> Layer:
    """Where the student's loss reads its labels.

    Args:
        pair: The networks.
        method: Name of the distiller, for the message.

    Returns:
        The layer.

    Raises:
        ValueError: If its loss takes no labels.
    """
    if pair.student.loss_labels is None:
        raise ValueError(f"{method} needs labels, and the student's loss takes none")
    return pair.student.loss_labels
