"""Published accuracies as targets of the configs: top-1 in per cent, last epoch unless the source says otherwise.

Sources. CIFAR-100: the tables of RepDistiller's README (Tian et al. 2020, arXiv 1910.10699). ImageNet-1k: teacher and student
of mmpretrain's model zoo (``metafile.yml`` of its ``resnet`` and ``mobilenet_v2`` configs), KD of ResNet-34 to ResNet-18 of
mdistiller's README. ResNet-50 to MobileNet has no value for KD: the literature distils MobileNetV1, which mmpretrain does
not have. CKD and PCKD: the table in PCKD's repository (Ding et al. 2025, arXiv 2410.14143; ``assets/cifar-10.png``). For CKD
this is second-hand; we assume that its row is Zhu et al. 2025 (arXiv 2404.14109) after their 480 epochs. PCKD on
ImageNet-1k: its README. CIFAR-10 and Tiny-ImageNet are not in those tables.
"""

from __future__ import annotations

TEACHERS: dict[str, dict[str, float]] = {
    'cifar100': {
        'wrn40-2': 75.61,
        'resnet56': 72.34,
        'resnet110': 74.31,
        'resnet32x4': 79.42,
        'vgg13': 74.64,
        'resnet50': 79.34,
    },
    'in1k': {'resnet34': 73.62, 'resnet50': 76.55},
}
STUDENTS: dict[str, dict[str, float]] = {
    'cifar100': {
        'wrn16-2': 73.26,
        'wrn40-1': 71.98,
        'resnet20': 69.06,
        'resnet32': 71.14,
        'resnet8x4': 72.50,
        'vgg8': 70.36,
        'mobilenetv2': 64.60,
        'shufflenetv1': 70.50,
        'shufflenetv2': 71.82,
    },
    'in1k': {'resnet18': 69.90, 'mobilenetv2': 71.86},
}
KD: dict[str, dict[tuple[str, str], float]] = {
    'cifar100': {
        ('wrn40-2', 'wrn16-2'): 74.92,
        ('wrn40-2', 'wrn40-1'): 73.54,
        ('resnet56', 'resnet20'): 70.66,
        ('resnet110', 'resnet20'): 70.67,
        ('resnet110', 'resnet32'): 73.08,
        ('resnet32x4', 'resnet8x4'): 73.33,
        ('vgg13', 'vgg8'): 72.98,
        ('vgg13', 'mobilenetv2'): 67.37,
        ('resnet50', 'mobilenetv2'): 67.35,
        ('resnet50', 'vgg8'): 73.81,
        ('resnet32x4', 'shufflenetv1'): 74.07,
        ('resnet32x4', 'shufflenetv2'): 74.45,
        ('wrn40-2', 'shufflenetv1'): 74.83,
    },
    'in1k': {('resnet34', 'resnet18'): 71.03},
}
CKD: dict[str, dict[tuple[str, str], float]] = {
    'cifar100': {
        ('wrn40-2', 'wrn16-2'): 76.29,
        ('wrn40-2', 'wrn40-1'): 74.85,
        ('resnet56', 'resnet20'): 72.03,
        ('resnet110', 'resnet20'): 71.97,
        ('resnet110', 'resnet32'): 74.14,
        ('resnet32x4', 'resnet8x4'): 76.62,
        ('vgg13', 'vgg8'): 74.86,
    },
}
PCKD: dict[str, dict[tuple[str, str], float]] = {
    'cifar100': {
        ('wrn40-2', 'wrn16-2'): 76.97,
        ('wrn40-2', 'wrn40-1'): 76.24,
        ('resnet56', 'resnet20'): 72.21,
        ('resnet110', 'resnet20'): 72.55,
        ('resnet110', 'resnet32'): 75.12,
        ('resnet32x4', 'resnet8x4'): 77.14,
        ('vgg13', 'vgg8'): 75.80,
    },
    'in1k': {('resnet34', 'resnet18'): 72.01},
}
PAIRS = {'kd': KD, 'ckd-480e': CKD, 'pckd-4rot': PCKD}  # accuracies of a pair, by method


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
    if method in PAIRS:
        return PAIRS[method].get(data, {}).get((teacher, student))
    if method == 'ce':
        known = STUDENTS if student else TEACHERS
        return known.get(data, {}).get(student or teacher)
    return None
