"""The pairs of networks, data sets and schedules of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass

Pair = tuple[str, str]

SAME_FAMILY: tuple[Pair, ...] = (
    ('wrn40-2', 'wrn16-2'),
    ('wrn40-2', 'wrn40-1'),
    ('resnet56', 'resnet20'),
    ('resnet110', 'resnet20'),
    ('resnet110', 'resnet32'),
    ('resnet32x4', 'resnet8x4'),
    ('vgg13', 'vgg8'),
)
OTHER_FAMILY: tuple[Pair, ...] = (
    ('vgg13', 'mobilenetv2'),
    ('resnet50', 'mobilenetv2'),
    ('resnet50', 'vgg8'),
    ('resnet32x4', 'shufflenetv1'),
    ('resnet32x4', 'shufflenetv2'),
    ('wrn40-2', 'shufflenetv1'),
)
FAMILIES = {'Same family': SAME_FAMILY, 'Other family': OTHER_FAMILY}
# Weight, temperature and batch of CKD by pair, as published with its code (Zhu et al. 2024, arXiv 2404.14109)
CKD: dict[Pair, tuple[int, int, int]] = {
    ('resnet56', 'resnet20'): (10, 1, 64),
    ('resnet110', 'resnet32'): (10, 1, 64),
    ('resnet32x4', 'resnet8x4'): (100, 1, 64),
    ('wrn40-2', 'wrn16-2'): (100, 1, 64),
    ('vgg13', 'vgg8'): (100, 1, 64),
    ('wrn40-2', 'wrn40-1'): (50, 2, 32),
    ('resnet32x4', 'shufflenetv2'): (100, 1, 64),
    ('resnet32x4', 'shufflenetv1'): (100, 1, 32),
    ('wrn40-2', 'shufflenetv1'): (100, 1, 32),
    ('resnet50', 'mobilenetv2'): (100, 1, 32),
    ('vgg13', 'mobilenetv2'): (50, 2, 32),
}
RELATIVES: tuple[Pair, ...] = (('wrn40-2', 'wrn16-2'), ('resnet32x4', 'resnet8x4'), ('vgg13', 'vgg8'))  # PCKD, regions, MCMI
WIDTHS = {'wrn40-2': 128, 'resnet32x4': 256, 'vgg13': 512}  # of the pooled features, same for their students
LOW_RATE = ('mobilenetv2', 'shufflenetv1', 'shufflenetv2')  # the benchmark trains them with 0.01 instead of 0.05


@dataclass(frozen=True)
class Benchmark:
    """Trainings on a data set, and the parts of ``configs/_base_`` they are made of.

    Attributes:
        data: The data set, as its part and the configs' names call it.
        pairs: Teachers and students.
        classes: Number of classes; None if the networks' parts set it.
        batch: GPUs and images on each, as in the configs' names.
        epochs: Length of a training from scratch.
        schedule: Part with the schedule; its short form for fine-tuning is ``finetune``.
        finetune: See ``schedule``.
        models: Folder of the networks.
        distill: Part with the distiller.
        ce_weight: Weight of the student's cross-entropy with soft labels; None leaves it at 1.
        low_rate: Whether mobile students get the benchmark's lower learning rate.
        vgg_pools: Max poolings in a VGG; None for the usual number.
    """

    data: str
    pairs: tuple[Pair, ...]
    classes: int | None = None
    batch: str = '1xb64'
    epochs: int = 240
    schedule: str = 'cifar_240e'
    finetune: str = 'cifar_finetune_20e'
    models: str = 'models'
    distill: str = 'kd_logits'
    ce_weight: float | None = 0.1
    low_rate: bool = True
    vgg_pools: int | None = None

    @property
    def teachers(self) -> list[str]:
        return list(dict.fromkeys(teacher for teacher, _ in self.pairs))

    @property
    def students(self) -> list[str]:
        return list(dict.fromkeys(student for _, student in self.pairs))

    def name(self, *parts: str) -> str:
        """Name of a config."""
        return '_'.join([*parts, self.batch, self.data])

    def last_epoch(self, *parts: str) -> str:
        """The last checkpoint of a training with that config."""
        return f'work_dirs/{self.name(*parts)}/epoch_{self.epochs}.pth'


BENCHMARKS = (
    Benchmark('cifar100', SAME_FAMILY + OTHER_FAMILY),
    Benchmark('cifar10', SAME_FAMILY, classes=10),
    Benchmark('tiny-imagenet', SAME_FAMILY, classes=200, vgg_pools=4),
    Benchmark(
        'in1k',
        (('resnet34', 'resnet18'), ('resnet50', 'mobilenetv2')),
        batch='8xb32',
        epochs=100,
        schedule='in1k_100e',
        finetune='in1k_finetune_20e',
        models='models/in1k',
        distill='kd_logits_in1k',
        ce_weight=0.5,
        low_rate=False,
    ),
)

GENERATED = Benchmark(
    'multi-view',
    (('resnet20', 'resnet8'),),
    classes=10,
    batch='1xb32',
    epochs=20,
    schedule='multi-view_20e',
    low_rate=False,
)
