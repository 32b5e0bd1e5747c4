"""Features of two networks for the same images: checks, and maps at a common size."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from icckd_mm.functional.contrast.multi_scale_regions import check_map
from icckd_mm.functional.tensor.checks import check_same_device
from icckd_mm.functional.tensor.numerics import raised


def check_images(student: Tensor, teacher: Tensor) -> None:
    """Raise unless both are floating-point features of the same number of images on one device.

    Raises:
        TypeError: If one of them is not floating-point.
        ValueError: If one has no features, or batches or devices differ.
    """
    for name, features in (('student', student), ('teacher', teacher)):
        if not isinstance(features, Tensor) or not features.is_floating_point():
            kind = features.dtype if isinstance(features, Tensor) else type(features).__name__
            raise TypeError(
                f'the {name} features must be a floating-point tensor, got {kind}; set data_idx to take one of a tuple'
            )
        if features.ndim < 2:
            raise ValueError(f'the {name} features must be (B, D) or maps (B, C, H, W), got shape {tuple(features.shape)}')
    if student.size(0) != teacher.size(0):
        raise ValueError(f'both networks must see the same images, got {student.size(0)} and {teacher.size(0)}')
    check_same_device(student=student, teacher=teacher)


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
