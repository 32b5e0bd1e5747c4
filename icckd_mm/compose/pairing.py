"""Layers of a teacher and a student that belong together."""

from __future__ import annotations

from icckd_mm.compose.layers import Layer, Stage
from icckd_mm.compose.parts import Pair


def paired_stages(pair: Pair, method: str) -> list[tuple[Stage, Stage]]:
    """Stages of student and teacher, one to one.

    Args:
        pair: The networks.
        method: Name of the distiller, for the message.

    Returns:
        At least one pair, first to last.

    Raises:
        ValueError: If the numbers of stages differ, or a stage has no map.
    """
    student, teacher = pair.student.stages, pair.teacher.stages
    for who, stages in (('student', student), ('teacher', teacher)):
        flat = [stage.output for stage in stages if len(stage.output.shape) != 3]
        if flat:
            raise ValueError(f'{method} needs maps, the {who} has tokens {flat[0].shape} at {flat[0].source}; use ofa or kd')
    if len(student) != len(teacher) or not student:
        raise ValueError(f'{method} pairs the stages one to one; the student has {len(student)}, the teacher {len(teacher)}')
    return list(zip(student, teacher))


def last_stages(pair: Pair, method: str) -> tuple[Layer, Layer]:
    """Outputs of the last stages of student and teacher, which are not always the maps that are pooled.

    Args:
        pair: The networks.
        method: Name of the distiller, for the message.

    Returns:
        The student's and the teacher's.

    Raises:
        ValueError: If a network has no stage, or its last one has no map.
    """
    for who, net in (('student', pair.student), ('teacher', pair.teacher)):
        if not net.stages:
            raise ValueError(f'{method} compares the outputs of the last stages; no stage of the {who} was found')
        output = net.stages[-1].output
        if len(output.shape) != 3:
            raise ValueError(f'{method} needs maps, the {who} has tokens {output.shape} at {output.source}; use ofa or kd')
    return pair.student.stages[-1].output, pair.teacher.stages[-1].output


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
