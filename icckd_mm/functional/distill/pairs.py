"""Features of two networks for the same images: checks, and maps at a common size."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from icckd_mm.functional.tensor.checks import check_floating, check_map, check_same_device
from icckd_mm.functional.tensor.numerics import raised


def check_images(student: Tensor, teacher: Tensor) -> None:
    """Raise unless both are floating-point features of the same number of images on one device.

    Raises:
        TypeError: If one of them is not floating-point.
        ValueError: If one has no features, or batches or devices differ.
    """
    for name, features in (('student', student), ('teacher', teacher)):
        check_floating(f'the {name} features', features)
        if features.ndim < 2:
            raise ValueError(f'the {name} features must be (B, D) or maps (B, C, H, W), got shape {tuple(features.shape)}')
    if student.size(0) != teacher.size(0):
        raise ValueError(f'both networks must see the same images, got {student.size(0)} and {teacher.size(0)}')
    check_same_device(student=student, teacher=teacher)


def check_same_shape(loss: str, student: Tensor, teacher: Tensor) -> None:
    """Raise unless both are features of one shape: broadcasting would give a meaningless number.

    Args:
        loss: Name of the loss, for the message.
        student: Features of the student.
        teacher: Features of the teacher.

    Raises:
        TypeError: If one of them is not floating-point.
        ValueError: If shapes or devices differ.
    """
    check_images(student, teacher)
    if student.shape != teacher.shape:
        raise ValueError(
            f'{loss} compares element by element, but the student has {tuple(student.shape)} and the teacher '
            f'{tuple(teacher.shape)}; record layers of one shape or add a connector'
        )


def at_common_size(student_map: Tensor, teacher_map: Tensor) -> tuple[Tensor, Tensor]:
    """Both maps in at least single precision, the larger one averaged to the size of the smaller.

    Args:
        student_map: ``(B, C, H, W)``, any float dtype.
        teacher_map: ``(B, C', H', W')`` of the same images.

    Returns:
        Maps with the shorter of both heights and of both widths.

    Raises:
        TypeError: If one of them is not floating-point.
        ValueError: If they are not maps of the same images on one device.

    Example:
        >>> [tuple(x.shape) for x in at_common_size(torch.zeros(2, 3, 8, 8), torch.zeros(2, 5, 4, 4))]
        [(2, 3, 4, 4), (2, 5, 4, 4)]
    """
    check_map('student_map', student_map)
    check_map('teacher_map', teacher_map)
    check_images(student_map, teacher_map)
    size = min(student_map.size(2), teacher_map.size(2)), min(student_map.size(3), teacher_map.size(3))
    student, teacher = (
        raised(x) if x.shape[2:] == size else F.adaptive_avg_pool2d(raised(x), size) for x in (student_map, teacher_map)
    )
    return student, teacher


def at_common_places(loss: str, student_map: Tensor, teacher_map: Tensor) -> tuple[Tensor, Tensor]:
    """:func:`at_common_size` for a loss that compares the places of a map, so that one place has nothing to compare.

    Args:
        loss: Name of the loss, for the message.
        student_map: ``(B, C, H, W)``, any float dtype.
        teacher_map: ``(B, C', H', W')`` of the same images.

    Returns:
        Maps with the shorter of both heights and of both widths, at least two places.

    Raises:
        TypeError: If one of them is not floating-point.
        ValueError: If they are not maps of the same images on one device, or share a single place.
    """
    student, teacher = at_common_size(student_map, teacher_map)
    if student.shape[2:].numel() == 1:
        raise ValueError(
            f'{loss} compares places of a map, but {tuple(student_map.shape)} and {tuple(teacher_map.shape)} share a single '
            'one: it would be 0 without gradient; record earlier layers'
        )
    return student, teacher
