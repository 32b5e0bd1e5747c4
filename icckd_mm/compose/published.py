"""Published settings that differ by pair of networks; what was not found is our choice and marked so.

Keys are (teacher, student) by their names in the benchmark. Sources: mdistiller's configs (a08d46f) for DKD; ReviewKD's scripts
(cede6ea); the log names of logit standardisation (f6e5aa5); WKD's configs (214cf88); configs of multi-level distillation
(5ee473f) and of logit standardisation for its longer schedule; TTM's README (fe457b3); SDD's scripts (e412036); the table in
CKD's repository (Zhu et al. 2024, arXiv 2404.14109).
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

from icckd_mm.compose.parts import Pair

Names = tuple[str, str]
Setting = TypeVar('Setting')

IMAGENET: tuple[Names, ...] = (
    ('resnet34', 'resnet18'),
    ('resnet50', 'mobilenetv1'),
)  # published there; all others on CIFAR-100
LOW_RATE = ('mobilenetv2', 'shufflenetv1', 'shufflenetv2')  # the benchmark trains these students with 0.01 instead of 0.05


def learning_rate(student: str) -> float:
    """Of the benchmark on CIFAR-100 at batch 64, by the name of the student."""
    return 0.01 if student in LOW_RATE else 0.05


def by_pair(table: dict[Names, Setting], pair: Pair, default: Setting) -> Setting:
    """The setting published for a pair and recipe; ``default``, our choice, for others and for networks without a name."""
    if pair.names is None or (pair.names in IMAGENET) != (pair.recipe == 'imagenet'):
        return default
    return table.get(pair.names, default)


def warmup_epochs(pair: Pair) -> int:
    """Epochs of a loss's warm-up: 20 as published for 240, 1 on ImageNet; a twelfth of a shorter training, which is ours."""
    return min(20, max(round(pair.epochs / 12), 1)) if pair.recipe == 'cifar' else 1


def cosine_start(pair: Pair, published: int) -> int:
    """Epochs before a weight decays: as published for the epochs of the recipe, in proportion for others, which is ours."""
    usual = 240 if pair.recipe == 'cifar' else 100
    return round(published * pair.epochs / usual) if published < usual else 0  # the default is that of CIFAR


class Ckd(NamedTuple):
    """Contrast of samples: weight, temperature and images in a batch."""

    weight: float
    tau: float
    batch: int


class Standardised(NamedTuple):
    """Logit standardisation: base temperature, weight, and beta where the loss is DKD."""

    tau: float
    weight: float
    beta: float = 0.0


class WkdLogits(NamedTuple):
    """WKD-L: weight gamma, temperature tau, sharpness s of the cost, last epoch before the cosine (0: from the start)."""

    gamma: float
    tau: float
    sharpness: float
    start: int


class WkdFeatures(NamedTuple):
    """WKD-F: weight lambda, ratio r of the means' term, grid G, last epoch before the cosine (0: from the start)."""

    weight: float
    ratio: float
    grid: int
    start: int


class Schedule(NamedTuple):
    """Epochs and learning rate."""

    epochs: int
    lr: float


class Transformed(NamedTuple):
    """Transformed teacher matching: power gamma of the teacher's probabilities and weight beta."""

    gamma: float
    beta: float


CKD: dict[Names, Ckd] = {
    ('resnet56', 'resnet20'): Ckd(10, 1, 64),
    ('resnet110', 'resnet32'): Ckd(10, 1, 64),
    ('resnet32x4', 'resnet8x4'): Ckd(100, 1, 64),
    ('wrn40-2', 'wrn16-2'): Ckd(100, 1, 64),
    ('vgg13', 'vgg8'): Ckd(100, 1, 64),
    ('wrn40-2', 'wrn40-1'): Ckd(50, 2, 32),
    ('resnet32x4', 'shufflenetv2'): Ckd(100, 1, 64),
    ('resnet32x4', 'shufflenetv1'): Ckd(100, 1, 32),
    ('wrn40-2', 'shufflenetv1'): Ckd(100, 1, 32),
    ('resnet50', 'mobilenetv2'): Ckd(100, 1, 32),
    ('vgg13', 'mobilenetv2'): Ckd(50, 2, 32),
}
CKD_DEFAULT = Ckd(10, 1, 64)  # our choice

DKD_BETA: dict[Names, float] = {
    ('resnet56', 'resnet20'): 2.0,
    ('resnet110', 'resnet32'): 2.0,
    ('vgg13', 'vgg8'): 6.0,
    ('vgg13', 'mobilenetv2'): 6.0,
    ('wrn40-2', 'wrn16-2'): 6.0,
    ('wrn40-2', 'wrn40-1'): 6.0,
    ('resnet32x4', 'resnet8x4'): 8.0,
    ('resnet32x4', 'shufflenetv1'): 8.0,
    ('resnet32x4', 'shufflenetv2'): 8.0,
    ('resnet50', 'mobilenetv2'): 8.0,
    ('wrn40-2', 'shufflenetv1'): 8.0,
    ('resnet110', 'resnet20'): 2.0,  # our choice
    ('resnet50', 'vgg8'): 8.0,  # our choice
    ('resnet34', 'resnet18'): 0.5,  # ImageNet, at tau = 1
    ('resnet50', 'mobilenetv1'): 2.0,  # ImageNet, at tau = 1
}
DKD_BETA_DEFAULT = 8.0  # mdistiller's default; on ImageNet 0.5 is our choice
DKD_BETA_IMAGENET = 0.5

LSKD: dict[Names, Standardised] = {
    ('resnet110', 'resnet20'): Standardised(4, 12),
    ('vgg13', 'vgg8'): Standardised(3, 9),
    ('vgg13', 'mobilenetv2'): Standardised(3, 9),
    ('wrn40-2', 'mobilenetv2'): Standardised(3, 9),
    ('resnet32x4', 'wrn16-2'): Standardised(3, 9),
    ('resnet32x4', 'wrn40-2'): Standardised(3, 9),
    ('resnet50', 'mobilenetv2'): Standardised(3, 1),
}
LSKD_DEFAULT = Standardised(2, 9)  # of all other published pairs; our choice elsewhere

DKD_LSKD: dict[Names, Standardised] = {
    ('resnet32x4', 'resnet8x4'): Standardised(2, 9, 8),
    ('resnet32x4', 'shufflenetv2'): Standardised(2, 9, 8),
    ('resnet32x4', 'wrn40-2'): Standardised(2, 9, 8),
    ('resnet32x4', 'wrn16-2'): Standardised(2, 9, 2),
    ('resnet110', 'resnet20'): Standardised(2, 15, 2),
    ('resnet110', 'resnet32'): Standardised(2, 15, 2),
    ('resnet50', 'mobilenetv2'): Standardised(2, 15, 2),
    ('vgg13', 'vgg8'): Standardised(2, 15, 2),
    ('wrn40-2', 'mobilenetv2'): Standardised(2, 15, 2),
    ('resnet56', 'resnet20'): Standardised(3, 18, 2),
    ('vgg13', 'mobilenetv2'): Standardised(3, 9, 2),
    ('wrn40-2', 'wrn16-2'): Standardised(2, 12, 2),
    ('wrn40-2', 'wrn40-1'): Standardised(2, 12, 2),
    ('wrn40-2', 'resnet8x4'): Standardised(2, 18, 2),
}
DKD_LSKD_DEFAULT = Standardised(2, 9, 8)  # our choice

REVIEWKD: dict[Names, float] = {
    ('wrn40-2', 'wrn16-2'): 5.0,
    ('wrn40-2', 'wrn40-1'): 5.0,
    ('wrn40-2', 'shufflenetv1'): 5.0,
    ('resnet32x4', 'resnet8x4'): 5.0,
    ('resnet32x4', 'shufflenetv1'): 5.0,
    ('resnet32x4', 'shufflenetv2'): 8.0,
    ('resnet56', 'resnet20'): 0.6,
    ('resnet110', 'resnet32'): 1.0,
    ('resnet34', 'resnet18'): 1.0,  # ImageNet
    ('resnet50', 'mobilenetv1'): 8.0,  # ImageNet
}
REVIEWKD_DEFAULT = 1.0  # our choice, as for the VGG and MobileNetV2 pairs

SDD_BETA: dict[Names, float] = {**DKD_BETA, ('wrn40-2', 'mobilenetv2'): 6.0}
SDD_SIDES: dict[Names, tuple[int, ...]] = {('vgg13', 'vgg8'): (1, 2), ('resnet34', 'resnet18'): (1, 2)}
SDD_SIDES_DEFAULT = (1, 2, 4)

TTM: dict[Names, Transformed] = {('vgg13', 'vgg8'): Transformed(0.1, 45)}
TTM_DEFAULT = Transformed(0.1, 45)  # our choice; sweep beta from 20 to 80
WTTM_BESIDE_CRD: dict[Names, Transformed] = {('vgg13', 'vgg8'): Transformed(0.2, 4)}
WTTM_DEFAULT = Transformed(0.1, 4)  # our choice; sweep beta from 2 to 8

WKD_LOGITS: dict[Names, WkdLogits] = {
    ('resnet32x4', 'resnet8x4'): WkdLogits(600, 8, 1, 150),
    ('wrn40-2', 'shufflenetv1'): WkdLogits(200, 6, 1, 150),
    ('resnet34', 'resnet18'): WkdLogits(30, 2, 1, 0),
    ('resnet50', 'mobilenetv1'): WkdLogits(25, 2, 2, 0),
}
WKD_LOGITS_DEFAULT = WkdLogits(200, 6, 1, 150)  # our choice
WKD_FEATURES: dict[Names, WkdFeatures] = {
    ('resnet32x4', 'resnet8x4'): WkdFeatures(0.08, 4, 1, 150),
    ('wrn40-2', 'shufflenetv1'): WkdFeatures(0.3, 3, 4, 150),
    ('resnet34', 'resnet18'): WkdFeatures(0.02, 2, 4, 0),
    ('resnet50', 'mobilenetv1'): WkdFeatures(0.005, 2, 4, 30),
}
WKD_FEATURES_DEFAULT = WkdFeatures(0.1, 4, 1, 150)  # our choice
WKD_BOTH: dict[Names, tuple[WkdLogits, WkdFeatures]] = {
    ('resnet32x4', 'resnet8x4'): (WkdLogits(200, 8, 1, 150), WkdFeatures(0.08, 8, 1, 150)),
    ('wrn40-2', 'shufflenetv1'): (WkdLogits(60, 4, 1, 150), WkdFeatures(0.5, 3, 4, 150)),
    ('resnet34', 'resnet18'): (WkdLogits(10, 2, 1, 0), WkdFeatures(1.0, 2, 4, 0)),
    ('resnet50', 'mobilenetv1'): (WkdLogits(25, 2, 2, 0), WkdFeatures(0.005, 2, 4, 30)),
}

MLKD_SCHEDULE: dict[Names, Schedule] = {  # milestones stay 150, 180, 210
    ('resnet50', 'mobilenetv2'): Schedule(480, 0.01),
    ('vgg13', 'mobilenetv2'): Schedule(480, 0.01),
    ('wrn40-2', 'shufflenetv1'): Schedule(480, 0.01),
    ('resnet32x4', 'shufflenetv1'): Schedule(960, 0.01),
    ('resnet32x4', 'shufflenetv2'): Schedule(960, 0.01),
}
MLKD_SCHEDULE_DEFAULT = Schedule(240, 0.025)
MLKD_480E_SCHEDULE: dict[Names, Schedule] = {  # of logit standardisation's repository, the source of the published table
    ('resnet50', 'mobilenetv2'): Schedule(480, 0.01),
    ('vgg13', 'mobilenetv2'): Schedule(480, 0.01),
    ('vgg13', 'vgg8'): Schedule(480, 0.01),
    ('wrn40-2', 'mobilenetv2'): Schedule(480, 0.005),
    ('wrn40-2', 'shufflenetv1'): Schedule(480, 0.01),
    ('resnet32x4', 'shufflenetv1'): Schedule(960, 0.01),
    ('resnet32x4', 'shufflenetv2'): Schedule(960, 0.01),
}
MLKD_480E_SCHEDULE_DEFAULT = Schedule(480, 0.025)
