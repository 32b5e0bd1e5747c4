"""Distillation of a student that keeps its teacher's classifier."""

from __future__ import annotations

from typing import Any

from torch import nn

from icckd_mm.models.necks import SimKDNeck
from icckd_mm.registry import MODELS

from .safe_teacher_distill import SafeTeacherDistill


@MODELS.register_module()
class ReusedClassifierDistill(SafeTeacherDistill):
    """SimKD: :class:`SafeTeacherDistill` whose student has a projector and the teacher's frozen classifier.

    The student's neck is :class:`icckd_mm.SimKDNeck`; its classifier ``head.fc`` becomes a copy of the teacher's and is not
    trained. Labels are not used, so there is no loss of the student's own. Projector and classifier stay in the published
    student.

    Args:
        *args: As for :class:`SafeTeacherDistill`.
        **kwargs: As for :class:`SafeTeacherDistill`, but ``calculate_student_loss`` is always False.

    Raises:
        ValueError: If networks do not fit together, or as :class:`SafeTeacherDistill` does.

    Source: Chen et al. 2022, arXiv 2203.14001.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if kwargs.setdefault('calculate_student_loss', False):
            raise ValueError(
                'ReusedClassifierDistill learns from maps alone: its classifier is frozen; remove calculate_student_loss'
            )
        super().__init__(*args, **kwargs)
        if not isinstance(getattr(self.student, 'neck', None), SimKDNeck):
            raise ValueError(
                "ReusedClassifierDistill needs architecture.neck.type='icckd_mm.SimKDNeck', got "
                f'{type(getattr(self.student, "neck", None)).__name__}'
            )
        student, teacher = _classifier('architecture', self.student), _classifier('teacher', self.teacher)
        widths = self.student.neck.teacher_channels, student.in_features, teacher.in_features
        if len(set(widths)) > 1:
            raise ValueError(
                f'neck.teacher_channels={widths[0]} and head.in_channels={widths[1]} of the student must be the width of the '
                f"teacher's classifier, {widths[2]}"
            )
        student.requires_grad_(False)
        self.reuse_classifier()
        self.register_load_state_dict_post_hook(_reuse_again)

    def init_weights(self) -> None:
        """Initialise what has no weights yet; the classifier stays the teacher's."""
        super().init_weights()
        self.reuse_classifier()

    def reuse_classifier(self) -> None:
        """Copy the teacher's classifier to the student."""
        _classifier('architecture', self.student).load_state_dict(_classifier('teacher', self.teacher).state_dict())


def _reuse_again(model: ReusedClassifierDistill, incompatible_keys: Any) -> None:
    """A checkpoint that a run starts from may hold the classifier of another teacher."""
    model.reuse_classifier()


def _classifier(who: str, model: nn.Module) -> nn.Linear:
    layer = getattr(getattr(model, 'head', None), 'fc', None)
    if not isinstance(layer, nn.Linear):
        raise ValueError(
            f'ReusedClassifierDistill copies the linear layer head.fc, the {who} {type(model).__name__} has none; '
            'take a LinearClsHead'
        )
    return layer
