"""Layers of a teacher and a student that belong together."""

from __future__ import annotations

from icckd_mm.compose.layers import Stage
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
