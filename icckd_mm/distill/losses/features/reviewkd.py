"""Knowledge review: each level of the teacher is learnt by the student's level and all deeper ones."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from icckd_mm.functional import hierarchical_context_loss
from icckd_mm.functional.distill.pairs import check_images
from icckd_mm.functional.tensor.number_checks import check_count, check_weight
from icckd_mm.functional.tensor.numerics import raised
from icckd_mm.registry import MODELS

from .attention_fusion import AttentionFusion

MOST_CHANNELS = 512  # of a review, as published
MOST_LEVELS = 5


@MODELS.register_module()
class ReviewKDLoss(nn.Module):
    """Sum of :func:`~icckd_mm.functional.hierarchical_context_loss` over levels, each behind an attention-based fusion.

    The fusions are trained with the student and are not part of it. In the benchmark levels are the stages' outputs, for the
    teacher before their ReLU, and the pooled features; the loss warms up for 20 epochs (``icckd_mm.DistillWeightHook``).

    Args:
        student_channels: Widths of the student's levels, 2 to 5, shallow to deep.
        teacher_channels: Widths of the teacher's levels.
        loss_weight: At least 0. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: Chen et al. 2021, arXiv 2104.09044. As in its code a review has as many channels as the student's deepest level, 512
    at most. It is passed on at the student's size; the code passes it on at the teacher's, which differs only where that is
    smaller.
    """

    def __init__(self, student_channels: Sequence[int], teacher_channels: Sequence[int], loss_weight: float = 1.0) -> None:
        super().__init__()
        check_weight('loss_weight', loss_weight)
        for name, widths in (('student_channels', student_channels), ('teacher_channels', teacher_channels)):
            for width in widths:
                check_count(f'each of {name}', width)
        if not 2 <= len(student_channels) == len(teacher_channels) <= MOST_LEVELS:
            raise ValueError(
                f'student_channels and teacher_channels must have one length from 2 to {MOST_LEVELS}, got '
                f'{len(student_channels)} and {len(teacher_channels)}'
            )
        self.loss_weight, self.widths = loss_weight, list(zip(student_channels, teacher_channels))
        channels, last = min(MOST_CHANNELS, student_channels[-1]), len(student_channels) - 1
        self.fusions = nn.ModuleList(
            AttentionFusion(own, channels, target, deepest=level == last)
            for level, (own, target) in enumerate(zip(student_channels, teacher_channels))
        )

    def forward(
        self,
        s1: Tensor,
        t1: Tensor,
        s2: Tensor,
        t2: Tensor,
        s3: Tensor | None = None,
        t3: Tensor | None = None,
        s4: Tensor | None = None,
        t4: Tensor | None = None,
        s5: Tensor | None = None,
        t5: Tensor | None = None,
    ) -> Tensor:
        """Compare the levels, shallow to deep.

        Args:
            s1: Map of the student ``(B, C, H, W)``, or pooled features ``(B, C)``; so are ``s2`` to ``s5``.
            t1: Of the teacher, any size; so are ``t2`` to ``t5``.
            s2: See ``s1``.
            t2: See ``t1``.
            s3: See ``s1``.
            t3: See ``t1``.
            s4: See ``s1``.
            t4: See ``t1``.
            s5: See ``s1``.
            t5: See ``t1``.

        Returns:
            A scalar.

        Raises:
            TypeError: If a level is not floating-point.
            ValueError: If the levels are not as many as the widths, of other widths, or of different images.
        """
        students, teachers = ([x for x in levels if x is not None] for levels in ((s1, s2, s3, s4, s5), (t1, t2, t3, t4, t5)))
        if not len(students) == len(teachers) == len(self.fusions):
            raise ValueError(
                f'ReviewKDLoss has widths for {len(self.fusions)} levels, got {len(students)} of the student and '
                f'{len(teachers)} of the teacher; map s1 to s{len(self.fusions)} and t1 to t{len(self.fusions)}'
            )
        for number, (student, teacher, widths) in enumerate(zip(students, teachers, self.widths), 1):
            check_images(student, teacher)
            for who, level, width in (('s', student, widths[0]), ('t', teacher, widths[1])):
                if level.ndim not in (2, 4) or level.size(1) != width:
                    raise ValueError(f'ReviewKDLoss has the width {width} for {who}{number}, got shape {tuple(level.shape)}')
        if not len(students[0]):
            return 0 * torch.stack([x.sum() for x in (*students, *self.parameters())]).sum()  # batch norm would learn NaN
        losses, review = [], None
        for fusion, student, teacher in zip(reversed(self.fusions), reversed(students), reversed(teachers)):
            own, target = _as_map(student), _as_map(teacher)
            output, review = fusion(own, review, target.shape[2:])
            losses.append(hierarchical_context_loss(output, target))
        return self.loss_weight * torch.stack(losses).sum()


def _as_map(level: Tensor) -> Tensor:
    """A level in at least single precision, pooled features as a map of one position."""
    return raised(level[:, :, None, None] if level.ndim == 2 else level)
