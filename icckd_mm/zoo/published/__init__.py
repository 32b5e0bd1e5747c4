"""Published accuracies as targets of the configs: top-1 in per cent, last epoch unless the source says otherwise."""

from __future__ import annotations

from .networks import STUDENTS, TEACHERS
from .pairs import PAIRS


def published_top1(data: str, method: str, teacher: str, student: str) -> float | None:
    """The published accuracy for a config.

    Args:
        data: Data set as the configs' names end, for example ``'cifar100'``.
        method: Method as the configs' names begin: ``'ce'``, ``'kd'``, ``'icckd-kd'``, ...
        teacher: The teacher; ``''`` if a student is trained without one.
        student: The student; ``''`` if a teacher is trained.

    Returns:
        Top-1 accuracy in per cent; None if nothing is published.

    Example:
        >>> published_top1('cifar100', 'kd', 'vgg13', 'vgg8')
        72.98
    """
    if method == 'ce':
        known = STUDENTS if student else TEACHERS
        return known.get(data, {}).get(student or teacher)
    return PAIRS.get(data, {}).get(method, {}).get((teacher, student))
