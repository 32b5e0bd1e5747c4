"""The pairs of networks, data sets, schedules and methods of the benchmark."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from icckd_mm.compose.published import CKD, learning_rate

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
RELATIVES: tuple[Pair, ...] = (('wrn40-2', 'wrn16-2'), ('resnet32x4', 'resnet8x4'), ('vgg13', 'vgg8'))  # PCKD, regions, MCMI
IMAGENET: tuple[Pair, ...] = (('resnet34', 'resnet18'), ('resnet50', 'mobilenetv1'))


@dataclass(frozen=True)
class Method:
    """A way to train students.

    Attributes:
        name: As in the names of the configs; the distillers' names with hyphens.
        where: What it compares, as in the names of the configs.
        distillers: Keys of ``DISTILLERS``; by default ``name`` alone.
        teachers: How the teachers are trained; an ICC teacher puts ``icckd-`` before the name.
        pairs: The pairs that it is for; None for all.
        schedule: Part with another schedule.
        batch: Images on each GPU; None for the benchmark's.
        batches: Images on each GPU by pair.
        rate: Learning rate; None for the schedule's and, on CIFAR, the student's.
        config: More keys of the config.
    """

    name: str
    where: str
    distillers: tuple[str, ...] = ()
    teachers: tuple[str, ...] = ('ce', 'icc')
    pairs: tuple[Pair, ...] | None = None
    schedule: str | None = None
    batch: int | None = None
    batches: Mapping[Pair, int] = field(default_factory=dict)
    rate: float | None = None
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Benchmark:
    """Trainings on a data set, and the parts of ``configs/_base_`` they are made of.

    Attributes:
        data: The data set, as its part and the configs' names call it.
        side: Side of its images.
        train_images: Number of its training images.
        pairs: Teachers and students of all methods that name none.
        methods: How students are trained.
        classes: Number of classes; None if the networks' parts set it.
        gpus: Number of GPUs.
        batch: Images on each.
        epochs: Length of a training from scratch.
        schedule: Part with the schedule; its short form for fine-tuning is ``finetune``.
        finetune: See ``schedule``.
        models: Folder of the networks.
        recipe: ``'cifar'`` or ``'imagenet'``: which published settings apply.
        low_rate: Whether mobile students get the benchmark's lower learning rate.
        vgg_pools: Max poolings in a VGG; None for the usual number.
    """

    data: str
    side: int
    train_images: int
    pairs: tuple[Pair, ...]
    methods: tuple[Method, ...]
    classes: int | None = None
    gpus: int = 1
    batch: int = 64
    epochs: int = 240
    schedule: str = 'cifar_240e'
    finetune: str = 'cifar_finetune_20e'
    models: str = 'models'
    recipe: str = 'cifar'
    low_rate: bool = True
    vgg_pools: int | None = None

    def pairs_of(self, method: Method) -> tuple[Pair, ...]:
        """The pairs that a method is for."""
        return self.pairs if method.pairs is None else method.pairs

    @property
    def teachers(self) -> list[str]:
        """Without repetition."""
        return list(dict.fromkeys(teacher for method in self.methods for teacher, _ in self.pairs_of(method)))

    @property
    def students(self) -> list[str]:
        """Without repetition."""
        return list(dict.fromkeys(student for method in self.methods for _, student in self.pairs_of(method)))

    def name(self, *parts: str, batch: int | None = None) -> str:
        """Name of a config."""
        return '_'.join([*parts, f'{self.gpus}xb{batch or self.batch}', self.data])

    def student_name(self, method: Method, teacher: str, pair: Pair) -> str:
        """Name of the config of a student, by how its teacher is trained."""
        prefix = {'ce': '', 'icc': 'icckd-', 'mcmi': 'mcmi-'}[teacher]
        batch = method.batches.get(pair, method.batch)
        return self.name(f'{prefix}{method.name}_{method.where}', *pair, batch=batch)

    def last_epoch(self, name: str, epochs: int | None = None) -> str:
        """The last checkpoint of the training with the config of that name."""
        return f'work_dirs/{name}/epoch_{epochs or self.epochs}.pth'

    def rate(self, method: Method | None, student: str) -> float | None:
        """The learning rate of a student where it is not the schedule's."""
        if method is not None and method.rate is not None:
            return method.rate
        published = learning_rate(student)
        return published if self.low_rate and published != 0.05 else None


CKD_PAIRS = tuple(CKD)
CKD_BATCHES = {pair: setting.batch for pair, setting in CKD.items()}
WITH_PREACT = tuple(pair for pair in (*SAME_FAMILY, *OTHER_FAMILY) if pair[1] != 'mobilenetv2')

KD = Method('kd', 'logits')
KD_RKD = Method('kd-rkd', 'logits-neck', ('kd', 'rkd'))
# One line a method: with the CE and the ICC teacher, for every pair of the data set
PUBLISHED = (
    KD,
    KD_RKD,
    Method('kd-crd', 'logits-neck', ('kd', 'crd')),
    Method('fitnet', 'backbone'),
    Method('at', 'backbone'),
    Method('rkd', 'neck'),
    Method('crd', 'neck'),
    Method('dkd', 'logits'),
    Method('dist', 'logits'),
    Method('wsld', 'logits'),
)
RELATIVE_METHODS = (
    Method('ckd', 'logits', pairs=CKD_PAIRS, batches=CKD_BATCHES),
    Method('ckd-480e', 'logits', ('ckd',), pairs=CKD_PAIRS, batches=CKD_BATCHES, schedule='cifar_480e'),
    Method('pckd', 'logits-neck', pairs=RELATIVES),
    Method('pckd-4rot', 'logits-neck', pairs=RELATIVES),
    Method('ms', 'backbone', pairs=RELATIVES),
    Method('kd', 'logits', teachers=('mcmi',), pairs=RELATIVES),
)
# Images on each of eight GPUs and learning rate as published; KD and its mix also with mmpretrain's 32
IMAGENET_METHODS = (
    Method('kd', 'logits', pairs=(('resnet34', 'resnet18'), ('resnet50', 'mobilenetv2'))),
    Method('kd-rkd', 'logits-neck', ('kd', 'rkd'), pairs=(('resnet34', 'resnet18'), ('resnet50', 'mobilenetv2'))),
    Method('kd', 'logits', pairs=IMAGENET, batch=64, rate=0.2),
    Method('at', 'backbone', pairs=IMAGENET, batch=64, rate=0.2),
    Method('dkd', 'logits', pairs=IMAGENET, batch=64, rate=0.2),
    Method('crd', 'neck', pairs=IMAGENET),
    Method('dist', 'logits', pairs=IMAGENET),
    Method('wsld', 'logits', pairs=IMAGENET),
    Method('ofd', 'backbone', pairs=(('resnet50', 'mobilenetv1'),), batch=16, rate=0.05),
)
# more students and the MCMI teacher for the networks of our study's plans
STUDY_PAIR: tuple[Pair, ...] = (('resnet56', 'resnet20'),)
STUDY_METHODS = tuple(
    Method(name, where, distillers, teachers=('ce',), pairs=STUDY_PAIR)
    for name, where, distillers in (
        ('dkd', 'logits', ()),
        ('crd', 'neck', ()),
        ('kd-crd', 'logits-neck', ('kd', 'crd')),
        ('fitnet', 'backbone', ()),
        ('subclass', 'logits-neck', ()),
        ('lelp', 'logits-neck', ()),
    )
)
BENCHMARKS = (
    Benchmark(
        'cifar100',
        32,
        50_000,
        SAME_FAMILY + OTHER_FAMILY,
        (*PUBLISHED, Method('ofd', 'backbone', pairs=WITH_PREACT), *RELATIVE_METHODS),
    ),
    Benchmark('cifar10', 32, 50_000, SAME_FAMILY, (KD, KD_RKD, *STUDY_METHODS), classes=10),
    Benchmark(
        'tiny-imagenet',
        64,
        100_000,
        SAME_FAMILY,
        (*PUBLISHED, Method('ofd', 'backbone')),
        classes=200,
        vgg_pools=4,
    ),
    Benchmark(
        'in1k',
        224,
        1_281_167,
        IMAGENET,
        IMAGENET_METHODS,
        gpus=8,
        batch=32,
        epochs=100,
        schedule='in1k_100e',
        finetune='in1k_finetune_20e',
        models='models/in1k',
        recipe='imagenet',
        low_rate=False,
    ),
)

DIGITS_PAIRS: tuple[Pair, ...] = (('resnet20', 'resnet8'), ('wrn40-2', 'wrn16-2'), ('vgg13', 'vgg8'))
RESNET: tuple[Pair, ...] = (('resnet20', 'resnet8'),)
# the paraphraser has no batch norm: at 0.05, or with large features and no clipping, it ends in NaN within three epochs
GENTLE = dict(optim_wrapper=dict(optimizer=dict(lr=0.01), clip_grad=dict(max_norm=1.0)))
_ICC = ('icc',)
DIGITS = Benchmark(
    'digits',
    16,
    1_437,
    DIGITS_PAIRS,
    (
        KD,
        Method('ckd', 'logits', pairs=RESNET),
        Method('pckd', 'logits-neck', pairs=RESNET),
        Method('ms', 'backbone', pairs=RESNET),
        *(
            Method(name, where, teachers=_ICC)
            for name, where in {
                'fitnet': 'backbone',
                'dkd': 'logits',
                'dist': 'logits',
                'wsld': 'logits',
                'soft-ce': 'logits',
                'ab-pretrain': 'backbone',
                'ab': 'logits',
                'ft': 'backbone',
            }.items()
        ),
        *(
            Method(name, where, teachers=_ICC, pairs=RESNET)
            for name, where in {'at': 'backbone', 'rkd': 'neck', 'crd': 'neck'}.items()
        ),
        Method('ofd', 'backbone', teachers=_ICC, pairs=RESNET),
        Method('ft-pretrain', 'backbone', teachers=_ICC, config=GENTLE),
        *(
            Method(f'kd-{name}', where, ('kd', name), teachers=_ICC)
            for name, where in {
                'rkd': 'logits-neck',
                'crd': 'logits-neck',
                'fitnet': 'backbone',
                'at': 'backbone',
                'ofd': 'backbone',
                'cwd': 'backbone',
                'pkd': 'backbone',
                'mgd': 'backbone',
                'fbkd': 'backbone',
            }.items()
        ),
        Method('dkd-at', 'logits-backbone', ('dkd', 'at'), teachers=_ICC, pairs=RESNET),
        Method('dist-fitnet-ckd', 'logits-backbone', ('dist', 'fitnet', 'ckd'), teachers=_ICC, pairs=RESNET),
    ),
    classes=10,
    epochs=15,
    schedule='digits_15e',
    low_rate=False,
)
MULTI_VIEW = Benchmark(
    'multi-view',
    16,
    500,
    RESNET,
    (
        KD,
        Method('ckd', 'logits'),
        Method('kd-rkd', 'logits-neck', ('kd', 'rkd'), teachers=_ICC),
        Method('kd-crd', 'logits-neck', ('kd', 'crd'), teachers=_ICC),
        Method('dkd', 'logits', teachers=_ICC),
    ),
    classes=10,
    batch=32,
    epochs=20,
    schedule='multi-view_20e',
    low_rate=False,
)
