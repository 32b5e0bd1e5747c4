"""Published accuracies of networks trained alone, as targets of the configs.

Sources. CIFAR-100: the tables of RepDistiller's README (Tian et al. 2020, arXiv 1910.10699). ImageNet-1k: mmpretrain's model
zoo (``metafile.yml`` of its ``resnet`` and ``mobilenet_v2`` configs), and cls_KD's README (arXiv 2303.13005) for MobileNetV1.
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
    'in1k': {'resnet18': 69.90, 'mobilenetv2': 71.86, 'mobilenetv1': 69.21},
}
