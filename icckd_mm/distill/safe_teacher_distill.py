"""mmrazor's distillation from one teacher, with a teacher that can be trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmengine.model import BaseModel
from mmengine.registry import MODELS as ROOT_MODELS
from mmrazor.models.algorithms import SingleTeacherDistill
from torch import nn

from icckd_mm.registry import MODELS

from .weights import IGNORED, load_strictly, recorded_preprocessor
from .wiring import check_classes, check_losses, check_normalisation, check_sources


@MODELS.register_module()
class SafeTeacherDistill(SingleTeacherDistill):
    """``SingleTeacherDistill`` that refuses a wrong teacher before training and leaves the right one as it is.

    Upstream loads the teacher with ``strict=False`` (a wrong config trains from a random network), keeps its dropout on, and
    writes its weights into every checkpoint of the student. Here the checkpoint must fit key by key, recorders, mappings and
    loss weights are checked, models of different classes or normalisation are refused, and the teacher stays in ``eval()``.

    Args:
        architecture (dict | BaseModel): The student.
        distiller (dict): As upstream.
        teacher (dict | BaseModel): A classifier or :class:`icckd_mm.TeacherEnsemble`.
        teacher_ckpt (str, optional): Weights of the teacher, loaded strictly. Defaults to None.
        student_ckpt (str, optional): Weights of a plain classifier that the student starts from, loaded strictly. Defaults to
            None.
        ignore_keys (Sequence[str]): Beginnings of keys that do not count, beside ``icc_loss.`` and ``data_preprocessor.``.
            Defaults to ().
        allow_random_teacher (bool): Whether a teacher without weights is meant. Defaults to False.
        save_teacher (bool): Whether checkpoints hold the teacher, too. Without it a resumed run takes it from
            ``teacher_ckpt`` again. A random teacher is always saved, for it is nowhere else. Defaults to False.
        **kwargs: ``data_preprocessor``, ``init_cfg``, ``student_trainable``, ``calculate_student_loss``, ``module_inplace``
            and ``teacher_module_inplace`` of upstream.

    Raises:
        ValueError: Naming what does not fit, and the remedy.
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
        **kwargs: Any,
    ) -> None:
        if kwargs.keys() & {'teacher_trainable', 'teacher_norm_eval'}:
            raise ValueError('SafeTeacherDistill freezes its teacher in full; mmrazor.SingleTeacherDistill can train one')
        student, teacher = (ROOT_MODELS.build(m) if isinstance(m, dict) else m for m in (architecture, teacher))
        ignored, recorded = (*IGNORED, *ignore_keys), {}
        if student_ckpt is not None:
            load_strictly(student, student_ckpt, ignored)
            student._is_init = True  # init_weights would draw them anew
        if teacher_ckpt is not None:
            recorded = recorded_preprocessor(load_strictly(teacher, teacher_ckpt, ignored))
            teacher._is_init = True
        elif not (teacher.is_init or allow_random_teacher):
            raise ValueError('the teacher has no weights: set teacher_ckpt, or allow_random_teacher=True if that is meant')
        for who, model in (('student', student), ('teacher', teacher)):
            check_sources(who, distiller.get(f'{who}_recorders'), model)
        check_classes(student, teacher)
        super().__init__(distiller=distiller, teacher=teacher, architecture=student, **kwargs)
        check_losses(self.distiller.distill_losses, self.distiller.loss_forward_mappings)
        check_normalisation(self.data_preprocessor, student.data_preprocessor, "the student's config")
        for single in getattr(teacher, 'teachers', [teacher]):
            check_normalisation(self.data_preprocessor, single.data_preprocessor, "the teacher's config")
        for record in (recorded, *getattr(teacher, 'recorded', [])):
            check_normalisation(self.data_preprocessor, record, 'the training of the teacher, says its checkpoint')
        self.teacher.eval()
        if not save_teacher and self.teacher.is_init:
            self._register_state_dict_hook(_without_teacher)
            self._register_load_state_dict_pre_hook(_keep_teacher)
            self.register_load_state_dict_post_hook(_teacher_is_not_missing)

    def train(self, mode: bool = True) -> SafeTeacherDistill:
        """Set the student's mode; the teacher stays in ``eval()``, dropout included.

        Args:
            mode (bool): Whether to train. Defaults to True.

        Returns:
            SafeTeacherDistill: Itself, as torch has it.
        """
        super().train(mode)
        self.teacher.eval()
        return self


def _without_teacher(module: nn.Module, state_dict: dict, prefix: str, local_metadata: dict) -> None:
    for key in [key for key in state_dict if key.startswith(f'{prefix}teacher.')]:
        del state_dict[key]


def _keep_teacher(state_dict: dict, prefix: str, *_: Any) -> None:
    """A checkpoint of another run may hold its teacher; ours comes from ``teacher_ckpt``."""
    for key in [key for key in state_dict if key.startswith(f'{prefix}teacher.')]:
        del state_dict[key]


def _teacher_is_not_missing(module: nn.Module, incompatible_keys: Any) -> None:
    """Its weights are in place already; loading would report them as missing."""
    missing = incompatible_keys.missing_keys
    missing[:] = [key for key in missing if not key.startswith(('teacher.', 'module.teacher.'))]
