"""What a benchmark consists of: methods, and trainings on a data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from icckd_mm.compose.published import learning_rate

Pair = tuple[str, str]


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
