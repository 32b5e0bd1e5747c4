"""Checks shared by the losses of this package."""

from __future__ import annotations

from torch import Tensor


def check_same_shape(loss: str, student: Tensor, teacher: Tensor) -> None:
    """Raise unless both tensors have the same shape: broadcasting would give a meaningless number.

    Args:
        loss: Name of the loss, for the message.
        student: Features or logits of the student.
        teacher: Features or logits of the teacher.

    Raises:
        ValueError: If not; names both shapes.
    """
    if student.shape != teacher.shape:
        raise ValueError(
            f'{loss} compares element by element, but the student has {tuple(student.shape)} and the teacher '
            f'{tuple(teacher.shape)}; record layers of one shape or add a connector'
        )


def check_maps(loss: str, student: Tensor, teacher: Tensor) -> None:
    """Raise unless both tensors are maps ``(B, C, H, W)`` of one batch with more than one position.

    Args:
        loss: Name of the loss, for the message.
        student: Maps of the student.
        teacher: Maps of the teacher.

    Raises:
        ValueError: If they are not maps, of different batches, or 1x1, where the loss is always 0.
    """
    for who, maps in (('student', student), ('teacher', teacher)):
        if maps.ndim != 4:
            raise ValueError(
                f'{loss} needs maps (B, C, H, W), the {who} has {tuple(maps.shape)}; record a layer before pooling'
            )
        if maps.shape[2] * maps.shape[3] == 1:
            raise ValueError(
                f'{loss} compares positions of a map, the {who} has only one {tuple(maps.shape)}: it would be 0 without '
                'gradient; record an earlier layer'
            )
    if student.size(0) != teacher.size(0):
        raise ValueError(f'{loss}: the student has {student.size(0)} images, the teacher {teacher.size(0)}')
