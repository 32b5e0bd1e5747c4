"""mmrazor's data-free distillation, in one process and from checked teachers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.registry import MODELS as ROOT_MODELS
from mmrazor.models import algorithms as upstream
from torch import nn

from icckd_mm.config.distiller import check_distiller
from icckd_mm.distill.student_settings import refuse_mixing, typed_preprocessor
from icckd_mm.distill.weights import load_strictly
from icckd_mm.distill.wiring import check_classes, check_losses, check_one_class, check_sources
from icckd_mm.engine.loading.network_fit import IGNORED
from icckd_mm.registry import MODELS

from .exclude_from_checkpoint import exclude_from_checkpoint


@MODELS.register_module()
class DataFreeDistillation(upstream.DataFreeDistillation):
    """DFAD: a generator makes images on which student and teacher disagree, the student learns to agree on them.

    mmrazor's version runs only with the generator in a DDP wrapper and loads teachers with ``strict=False``. Its generator
    step leaves a gradient in the student, whose next step then moves away from the teacher. The data set only sets the
    number of images in a batch.

    Args:
        distiller: What the student learns.
        generator_distiller: What the generator learns; a weight may be negative.
        teachers: By name, ``build_cfg`` of a classifier and ``ckpt_path`` of its weights, loaded strictly. A
            recorder's source begins with the name.
        generator: Such as mmrazor's ``DAFLGenerator``.
        student_iter: Steps of the student for each of the generator. Defaults to 1.
        student_train_first: Whether the student's steps come before the generator's. Defaults to False.
        ignore_keys: Prefixes of keys to ignore, in addition to ``icc_loss.`` and ``data_preprocessor.``.
            Defaults to ().
        allow_random_teacher: Whether teachers without weights are intended. Defaults to False.
        **kwargs: ``architecture``, ``data_preprocessor``, ``init_cfg`` and ``module_inplace`` of upstream.

    Raises:
        ValueError: If models, weights or wiring do not fit; says what to do.

    Source: Fang et al. 2019, arXiv 1912.11006.
    """

    def __init__(
        self,
        distiller: dict,
        generator_distiller: dict,
        teachers: dict[str, dict],
        generator: dict,
        student_iter: int = 1,
        student_train_first: bool = False,
        ignore_keys: Sequence[str] = (),
        allow_random_teacher: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs['data_preprocessor'] = typed_preprocessor(kwargs.get('data_preprocessor'))
        super(upstream.DataFreeDistillation, self).__init__(**kwargs)  # skips that class, which loads with strict=False
        refuse_mixing(self.student, 'the images come from a generator')
        self.student_iter, self.student_train_first = student_iter, student_train_first
        self.teachers = nn.ModuleDict({name: ROOT_MODELS.build(teacher['build_cfg']) for name, teacher in teachers.items()})
        self.teachers.requires_grad_(False).eval()
        for name, teacher in self.teachers.items():
            check_classes(self.student, teacher)
            if teachers[name].get('ckpt_path') is not None:
                config, place = teachers[name]['build_cfg'], f'model.teachers.{name}.build_cfg'
                load_strictly(teacher, teachers[name]['ckpt_path'], (*IGNORED, *ignore_keys), config=config, place=place)
                vars(teacher)['_is_init'] = True  # init_weights would draw them again
            elif not allow_random_teacher:
                raise ValueError(
                    f'teachers.{name} has no weights: set ckpt_path, or allow_random_teacher=True if that is intended'
                )
        self.generator = ROOT_MODELS.build(generator)
        # upstream reads generator.module, which only a DDP wrapper has; not registered as its own child
        self.generator.__dict__.setdefault('module', self.generator)
        for name, config in (('distiller', distiller), ('generator_distiller', generator_distiller)):
            check_distiller(config, 'mmrazor', name)
            check_one_class(config, [self.student, *self.teachers.values()])
            for who, model in (('student', self.student), ('teacher', self.teachers)):
                check_sources(f'{name}.{who}', config.get(f'{who}_recorders'), model)
            built = ROOT_MODELS.build(config)
            check_losses(built.distill_losses, built.loss_forward_mappings, signed=name == 'generator_distiller')
            built.prepare_from_student(self.student)
            built.prepare_from_teacher(self.teachers)
            self.add_module(name, built)
        if all(teacher.is_init for teacher in self.teachers.values()):
            exclude_from_checkpoint(self, 'teachers')

    def train(self, mode: bool = True) -> DataFreeDistillation:
        """Set the mode of student and generator; teachers stay in ``eval()``.

        Args:
            mode: Whether to train. Defaults to True.

        Returns:
            Itself, like ``nn.Module.train``.
        """
        super().train(mode)
        self.teachers.eval()
        return self

    def train_generator(self, data: dict, optimizer: Any) -> tuple:
        """A step of the generator that leaves no gradient in the student.

        Args:
            data: A batch; only its number of images is used.
            optimizer: The generator's.

        Returns:
            The loss and the values to log.
        """
        result = super().train_generator(data, optimizer)
        self.student.zero_grad()
        return result


@MODELS.register_module()
class DAFLDataFreeDistillation(DataFreeDistillation):
    """DAFL: a generator makes images that the teacher assigns to its classes; the student learns from them.

    Args:
        **kwargs: As for :class:`DataFreeDistillation`; both learn in one step, so ``student_iter`` has no effect.

    Source: Chen et al. 2019, arXiv 1904.01186.
    """

    train_step = upstream.DAFLDataFreeDistillation.train_step
