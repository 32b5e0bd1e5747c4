"""Published accuracies of distillation by method and pair.

Sources. CIFAR-100: RepDistiller's README (Tian et al. 2020, arXiv 1910.10699) for KD, FitNet, AT, SP, CC, VID, RKD, PKT, AB,
FT, NST and CRD; mdistiller's README (Zhao et al. 2022, arXiv 2203.08679) for DKD and DOT; DIST's repository (Huang et al.
2022); the tables of logit standardisation (Sun et al. 2024, arXiv 2403.01427) for its own rows, for CTKD and multi-level
distillation after 480 epochs, and for DKD of resnet110 to resnet20; TTM's (Zheng and Yang 2024, arXiv 2402.11148), the mean of
five runs; SDD's (Wei et al. 2024, arXiv 2403.13512), also for DKD of resnet50 to vgg8; WKD's (Lv et al. 2024, arXiv
2412.08139); SimKD's (Chen et al. 2022, arXiv 2203.14001), of a larger network at inference. ReviewKD, and two figures of
SimKD, are second-hand, from NORM's README. CKD and PCKD: the table in PCKD's repository (Ding et al. 2025, arXiv 2410.14143;
``assets/cifar-10.png``). For CKD this is second-hand; we assume that its row is Zhu et al. 2025 (arXiv 2404.14109) after their
480 epochs. ImageNet-1k: the same papers and the README of cls_KD for NKD (Yang et al. 2023, arXiv 2303.13005). CIFAR-10 and
Tiny-ImageNet are not in those tables.
"""

from __future__ import annotations

Pair = tuple[str, str]
CIFAR100_PAIRS: tuple[Pair, ...] = (
    ('wrn40-2', 'wrn16-2'),
    ('wrn40-2', 'wrn40-1'),
    ('resnet56', 'resnet20'),
    ('resnet110', 'resnet20'),
    ('resnet110', 'resnet32'),
    ('resnet32x4', 'resnet8x4'),
    ('vgg13', 'vgg8'),
    ('vgg13', 'mobilenetv2'),
    ('resnet50', 'mobilenetv2'),
    ('resnet50', 'vgg8'),
    ('resnet32x4', 'shufflenetv1'),
    ('resnet32x4', 'shufflenetv2'),
    ('wrn40-2', 'shufflenetv1'),
)
IN1K_PAIRS: tuple[Pair, ...] = (('resnet34', 'resnet18'), ('resnet50', 'mobilenetv1'))

Row = tuple[float | None, ...]
_: None = None  # not published, or not found
CIFAR100: dict[str, Row] = {  # in the order of the pairs; a shorter row ends with the same family
    'kd': (74.92, 73.54, 70.66, 70.67, 73.08, 73.33, 72.98, 67.37, 67.35, 73.81, 74.07, 74.45, 74.83),
    'fitnet': (73.58, 72.24, 69.21, 68.99, 71.06, 73.50, 71.02, 64.14, 63.16, 70.69, 73.59, 73.54, 73.73),
    'at': (74.08, 72.77, 70.55, 70.22, 72.31, 73.44, 71.43, 59.40, 58.58, 71.84, 71.73, 72.73, 73.32),
    'sp': (73.83, 72.43, 69.67, 70.04, 72.69, 72.94, 72.68, 66.30, 68.08, 73.34, 73.48, 74.56, 74.52),
    'cc': (73.56, 72.21, 69.63, 69.48, 71.48, 72.97, 70.71, 64.86, 65.43, 70.25, 71.14, 71.29, 71.38),
    'vid': (74.11, 73.30, 70.38, 70.16, 72.61, 73.09, 71.23, 65.56, 67.57, 70.30, 73.38, 73.40, 73.61),
    'rkd': (73.35, 72.22, 69.61, 69.25, 71.82, 71.90, 71.48, 64.52, 64.43, 71.50, 72.28, 73.21, 72.21),
    'pkt': (74.54, 73.45, 70.34, 70.25, 72.61, 73.64, 72.88, 67.13, 66.52, 73.01, 74.10, 74.69, 73.89),
    'ab': (72.50, 72.38, 69.47, 69.53, 70.98, 73.17, 70.94),
    'ft': (73.25, 71.59, 69.84, 70.22, 72.37, 72.86, 70.58),
    'nst': (73.68, 72.24, 69.60, 69.53, 71.96, 73.30, 71.53, 58.16, 64.96, 71.28, 74.12, 74.68, 74.89),
    'crd': (75.48, 74.14, 71.16, 71.46, 73.48, 75.51, 73.94, 69.73, 69.11, 74.30, 75.11, 75.65, 76.05),
    'dist': (_, 74.43, 71.75, _, _, 76.31, _, _, 68.66, _, 76.34, 77.35, _),
    'dkd': (76.24, 74.81, 71.97, 71.06, 74.11, 76.32, 74.68, 69.71, 70.35, 75.34, 76.45, 77.07, 76.70),
    'reviewkd': (76.12, 75.09, 71.89, _, 73.89, 75.63, 74.84, 70.37, 69.89, _, 77.45, 77.78, 77.14),
    'lskd': (76.11, 74.37, 71.43, 71.48, 74.17, 76.62, 74.36, 68.61, 69.02, _, _, 75.56, _),
    'dkd-lskd': (76.39, 74.89, 72.32, 71.85, 74.29, 77.01, 74.81, 69.98, 70.45, _, _, 77.37, _),
    'ctkd': (75.45, 73.93, 71.19, 70.99, 73.52, 73.39, 73.52, 68.50, 68.67, _, _, 75.37, _),
    'mlkd-480e': (76.63, 75.35, 72.19, 71.89, 74.11, 77.08, 75.18, 70.57, 71.04, _, _, 78.44, _),
    'ttm': (76.23, 74.32, 71.83, 71.46, 73.97, 76.17, 74.33, 68.98, 69.24, 74.87, 74.18, 76.57, 75.39),
    'wttm': (76.37, 74.58, 71.92, 71.67, 74.13, 76.06, 74.44, 69.16, 69.59, 74.82, 74.37, 76.55, 75.42),
    'wttm-crd': (76.61, 74.94, 72.20, 72.13, 74.52, 76.65, 74.71),
    'sdd': (_, _, _, _, _, _, _, 68.79, 69.55, 74.89, 76.30, 76.67, 76.65),
    'dkd-sdd': (_, _, _, _, _, _, _, 70.25, 71.36, 75.86, 77.30, 78.05, 77.21),
    'simkd': (_, 75.56, _, _, _, 78.08, _, _, _, _, 77.18, _, _),
    'wkd': (_, _, _, _, _, 76.53, _, _, _, _, _, _, 76.72),
    'wkd-f': (_, _, _, _, _, 76.77, _, _, _, _, _, _, 77.36),
    'wkd-wkd-f': (_, _, _, _, _, 77.28, _, _, _, _, _, _, 77.50),
    'dot': (_, _, _, _, _, 75.12, 73.77, _, _, _, _, 75.55, _),
    'ckd-480e': (76.29, 74.85, 72.03, 71.97, 74.14, 76.62, 74.86),
    'pckd-4rot': (76.97, 76.24, 72.21, 72.55, 75.12, 77.14, 75.80),
}
IN1K: dict[str, Row] = {
    'kd': (71.03, 70.50),
    'dkd': (71.70, _),
    'dist': (72.07, _),
    'reviewkd': (71.61, 72.56),
    'lskd': (71.42, _),
    'wttm': (72.19, 73.09),
    'nkd': (71.96, 72.58),
    'wkd': (72.49, 73.17),
    'wkd-f': (72.50, 73.12),
    'wkd-wkd-f': (72.76, 73.69),
    'dot': (71.72, 73.09),
    'sdd': (_, 72.24),
    'dkd-sdd': (72.02, 73.08),
    'ctkd': (71.32, _),
    'simkd': (71.66, _),
    'sp': (70.62, _),
    'cc': (69.96, _),
    'pckd-4rot': (72.01, _),
}


def _by_pair(rows: dict[str, Row], pairs: tuple[Pair, ...]) -> dict[str, dict[Pair, float]]:
    return {method: {pair: value for pair, value in zip(pairs, row) if value is not None} for method, row in rows.items()}


PAIRS: dict[str, dict[str, dict[Pair, float]]] = {
    'cifar100': _by_pair(CIFAR100, CIFAR100_PAIRS),
    'in1k': _by_pair(IN1K, IN1K_PAIRS),
}
"""Accuracies by data set, method and pair."""
