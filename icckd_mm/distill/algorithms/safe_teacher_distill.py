"""mmrazor's distillation from one teacher, with checks of the teacher."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import torch
from mmengine.model import BaseModel
from mmengine.registry import MODELS as ROOT_MODELS
from mmrazor.models.algorithms import SingleTeacherDistill
from mmrazor.models.utils import add_prefix
from torch import Tensor

from icckd_mm.config.distiller import check_distiller
from icckd_mm.distill.connectors import OFDMarginConnector
from icckd_mm.distill.located import located_errors
from icckd_mm.distill.records import read_record
from icckd_mm.distill.student_settings import adopt_student_settings, typed_preprocessor
from icckd_mm.distill.weights import load_strictly
from icckd_mm.distill.wiring import (
    check_classes,
    check_losses,
    check_normalisation,
    check_one_class,
    check_side,
    check_sources,
)
from icckd_mm.distill.zero_losses import zero_losses
from icckd_mm.engine.loading.network_fit import IGNORED
from icckd_mm.registry import MODELS

from .exclude_from_checkpoint import exclude_from_checkpoint
from .teacher_pass import KnownRows, check_teacher_dtype, lowered, only_recorder, raise_records


@MODELS.register_module()
class SafeTeacherDistill(SingleTeacherDistill):
    """``SingleTeacherDistill`` that refuses a wrong teacher before training and never changes the right one.

    Upstream loads the teacher with ``strict=False`` (a wrong config trains from a random network), keeps its dropout on, and
    writes its weights into every checkpoint of the student. Here the checkpoint must fit key by key, recorders, mappings and
    loss weights are checked, models of different classes, normalisation or image size are refused (the size at the first
    images, before any step), and the teacher stays in ``eval()``.

    Args:
        architecture: The student. Mixup and its like in its ``train_cfg.augments`` apply to the images of both networks; other
            settings of its ``data_preprocessor`` are refused unless those of the algorithm say the same.
        distiller: As upstream.
        teacher: A classifier or :class:`icckd_mm.TeacherEnsemble`.
        teacher_ckpt: Weights of the teacher, loaded strictly. Defaults to None.
        student_ckpt: Weights of a plain classifier that the student starts from, loaded strictly. Defaults to
            None.
        ignore_keys: Prefixes of keys to ignore, in addition to ``icc_loss.`` and ``data_preprocessor.``.
            Defaults to ().
        allow_random_teacher: Whether a teacher without weights is intended. Defaults to False.
        save_teacher: Whether checkpoints also hold the teacher. Otherwise a resumed run loads it from
            ``teacher_ckpt`` again. A random teacher is always saved. Defaults to False.
        teacher_dtype: ``'bfloat16'`` or ``'float16'``: the pass of the teacher that the student learns from
            runs under autocast, and losses get its records in single precision. Weights, checkpoints and validation do
            not change. Defaults to None: the precision of the student.
        teacher_channels_last: Whether the teacher's weights use the channels-last memory format, which can make
            convolutions faster; their values do not change. Defaults to False.
        **kwargs: ``data_preprocessor``, ``init_cfg``, ``student_trainable``, ``calculate_student_loss``, ``module_inplace``
            and ``teacher_module_inplace`` of upstream.

    Raises:
        ValueError: If models, weights or wiring do not fit; says what to do.
    """

    def __init__(
        self,
        architecture: dict | BaseModel,
        distiller: dict,
        teacher: dict | BaseModel,
        teacher_ckpt: str | None = None,
        student_ckpt: str | None = None,
        ignore_keys: Sequence[str] = (),
        allow_random_teacher: bool = False,
        save_teacher: bool = False,
        teacher_dtype: str | None = None,
        teacher_channels_last: bool = False,
        **kwargs: Any,
    ) -> None:
        if kwargs.keys() & {'teacher_trainable', 'teacher_norm_eval'}:
            raise ValueError('SafeTeacherDistill freezes its teacher; use mmrazor.SingleTeacherDistill to train one')
        check_teacher_dtype(teacher_dtype)
        check_distiller(distiller, 'mmrazor')
        configs = architecture, teacher
        student, teacher = (ROOT_MODELS.build(m) if isinstance(m, dict) else m for m in configs)
        ignored, records = (*IGNORED, *ignore_keys), list(getattr(teacher, 'records', []))
        if student_ckpt is not None:
            load_strictly(student, student_ckpt, ignored, config=configs[0], place='model.architecture')
            student._is_init = True  # init_weights would draw them again
        if teacher_ckpt is not None:
            read = load_strictly(teacher, teacher_ckpt, ignored, config=configs[1], place='model.teacher')
            records.append(read_record(read))
            teacher._is_init = True
        elif not (teacher.is_init or allow_random_teacher):
            raise ValueError('the teacher has no weights: set teacher_ckpt, or allow_random_teacher=True if that is intended')
        for who, model in (('student', student), ('teacher', teacher)):
            check_sources(who, distiller.get(f'{who}_recorders'), model)
        check_classes(student, teacher)
        check_one_class(distiller, [student, *getattr(teacher, 'teachers', [teacher])])
        kwargs['data_preprocessor'] = typed_preprocessor(kwargs.get('data_preprocessor'))
        super().__init__(distiller=distiller, teacher=teacher, architecture=student, **kwargs)
        check_losses(self.distiller.distill_losses, self.distiller.loss_forward_mappings)
        for connector in self.distiller.connectors.values():
            if isinstance(connector, OFDMarginConnector):
                connector.read_teacher(teacher)
        check_normalisation(self.data_preprocessor, student.data_preprocessor, "the student's config")
        for single in getattr(teacher, 'teachers', [teacher]):
            check_normalisation(self.data_preprocessor, single.data_preprocessor, "the teacher's config")
        for record in records:
            check_normalisation(self.data_preprocessor, record.preprocessor, 'the training of the teacher, says its checkpoint')
        adopt_student_settings(self.data_preprocessor, student)
        if getattr(self.data_preprocessor, 'batch_augments', None) is not None and hasattr(teacher, 'head'):
            teacher.head.cal_acc = False  # mixed images have no class to count; mmpretrain would stop
        self.teacher_dtype, self.teacher_channels_last = teacher_dtype, teacher_channels_last
        if teacher_channels_last:
            self.teacher.to(memory_format=torch.channels_last)  # convolutions follow their weights
        self.known_rows: KnownRows | None = None  # logits known without a pass of the teacher
        self.distils = True  # whether the student learns from the teacher, or from the labels alone
        self.teacher_classes = {f'teacher {number}': record.classes for number, record in enumerate(records, 1)}
        self.unseen_sides = [record.side for record in records]
        self.teacher.eval()
        if not save_teacher and self.teacher.is_init:
            exclude_from_checkpoint(self, 'teacher')

    def train(self, mode: bool = True) -> SafeTeacherDistill:
        """Set the student's mode; the teacher stays in ``eval()``, dropout included.

        Args:
            mode: Whether to train. Defaults to True.

        Returns:
            Itself, like ``nn.Module.train``.
        """
        super().train(mode)
        self.teacher.eval()
        return self

    def loss(self, batch_inputs: Tensor, data_samples: list | None = None) -> dict[str, Tensor]:
        """Losses of a batch; the first one must have the size that the teacher was trained with.

        Args:
            batch_inputs: Images ``(B, 3, H, W)``.
            data_samples: Their labels. Defaults to None.

        Returns:
            The student's own, named ``student.*``, and those of the distiller, ``distill.*``.

        Raises:
            ValueError: If the sizes differ.
        """
        while self.unseen_sides:
            check_side(batch_inputs, self.unseen_sides.pop())
        self.distiller.set_deliveries_override(False)
        self.run_teacher(batch_inputs, data_samples)
        self.distiller.set_deliveries_override(True)  # the student gets the teacher's outputs
        own = self.run_student(batch_inputs, data_samples)
        losses = add_prefix(own, 'student') if self.calculate_student_loss else {}
        if self.distillation_stopped:  # by mmrazor's StopDistillHook, which drops the losses
            return losses
        if not self.distils:
            return {**losses, **add_prefix(zero_losses(self.distiller), 'distill')}
        with located_errors(self.distiller):
            distilled = self.distiller.compute_distill_losses()
        return {**losses, **add_prefix(distilled, 'distill')}

    def parse_losses(self, losses: dict[str, Any]) -> tuple[Tensor, dict[str, Tensor]]:
        """The sum of all losses, and what is logged.

        Args:
            losses: From :meth:`loss`.

        Returns:
            The sum, whose attribute ``parts`` has the sums of the student's own losses and of the distiller's, None without
            any: :class:`icckd_mm.DOTOptimWrapper` computes the gradients of both. And all losses by name.
        """
        total, logged = super().parse_losses(losses)
        total.parts = tuple(_sum(logged, prefix) for prefix in ('student.', 'distill.'))
        return total, logged

    def run_teacher(self, inputs: Tensor, samples: list | None) -> None:
        """Fill the teacher's recorders, by a pass or from ``known_rows``.

        Args:
            inputs: Images ``(B, 3, H, W)``.
            samples: Their data samples.
        """
        recorders = self.distiller.teacher_recorders
        known = None if self.known_rows is None else self.known_rows.read(inputs, samples)
        with recorders, self.distiller.deliveries, torch.no_grad(), lowered(self.teacher, self.teacher_dtype):
            if known is None:
                self.teacher(inputs, samples, mode='loss')
            else:
                only_recorder(recorders).data_buffer.append(known)
        if self.teacher_dtype is not None or self.teacher_channels_last:
            raise_records(recorders)
        if self.known_rows is not None and known is None:
            self.known_rows.write(inputs, samples, only_recorder(recorders).get_record_data())

    def run_student(self, inputs: Tensor, samples: list | None) -> dict[str, Tensor]:
        """Fill the student's recorders.

        Args:
            inputs: Images ``(B, 3, H, W)``.
            samples: Their data samples.

        Returns:
            The student's own losses.
        """
        learns = self.calculate_student_loss or self.student_trainable
        with self.distiller.student_recorders, self.distiller.deliveries, nullcontext() if learns else torch.no_grad():
            return self.student(inputs, samples, mode='loss')


def _sum(losses: dict[str, Tensor], prefix: str) -> Tensor | None:
    """The sum of the losses with a prefix; None without any."""
    found = [value for name, value in losses.items() if name.startswith(prefix) and 'loss' in name]
    return sum(found[1:], found[0]) if found else None
