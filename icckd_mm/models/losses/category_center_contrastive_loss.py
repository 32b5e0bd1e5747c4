"""The category-centre contrastive loss of PCKD, with its two embeddings."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.functional import category_center_contrastive_loss
from icckd_mm.functional.contrast.category_center_preview import check_rotations
from icckd_mm.functional.tensor.checks import check_features
from icckd_mm.functional.tensor.number_checks import check_count, check_positive, check_weight
from icckd_mm.functional.tensor.numerics import unit_rows, without_autocast
from icckd_mm.registry import MODELS

from .category_center_preview import current_preview_weights


@MODELS.register_module()
class CategoryCenterContrastiveLoss(nn.Module):
    r"""PCKD: pulls together student features of one class, embedded twice and scored against both classifiers' rows.

    .. math:: L = \beta\,\frac1N\sum_n v_{\lfloor n/R\rfloor}\,\ell_n, \qquad u^S_n = W^S e_S(f_n), \quad u^T_n = W^T e_T(f_n)

    with the :math:`\ell_n` of :func:`icckd_mm.functional.category_center_contrastive_loss`, the preview weights
    :math:`v` of :func:`icckd_mm.functional.preview_weights` from the student's cross-entropy on the upright views and the
    epoch in mmengine's ``MessageHub``, and embeddings :math:`e` that are linear and normalised. The embeddings are parameters
    of this loss; in a distiller they reach optimizer and checkpoint. Gradient reaches the student's rows, not the teacher's.

    Args:
        student_dims: Width of the student's features.
        teacher_dims: Width of the teacher's features.
        temperature: :math:`\tau > 0`. Defaults to 4.0.
        base_temperature: :math:`\tau_0 > 0`. Defaults to 0.07.
        preview_base: Growth of the preview threshold in each epoch. Defaults to 1.005.
        num_rotations: ``R``, rows of each image: 4 with :class:`icckd_mm.RotationDataPreprocessor`. Defaults to 1.
        loss_weight: :math:`\beta \ge 0`. Defaults to 0.05, published for wrn40-2 to wrn16-2.

    Raises:
        ValueError: If an argument is out of range.

    Source: PCKD, Ding et al., arXiv 2410.14143, in the form of the published code.
    """

    def __init__(
        self,
        student_dims: int,
        teacher_dims: int,
        temperature: float = 4.0,
        base_temperature: float = 0.07,
        preview_base: float = 1.005,
        num_rotations: int = 1,
        loss_weight: float = 0.05,
    ) -> None:
        super().__init__()
        for name, size in (('student_dims', student_dims), ('teacher_dims', teacher_dims), ('num_rotations', num_rotations)):
            check_count(name, size)
        check_positive('temperature', temperature, 4.0)
        check_positive('base_temperature', base_temperature, 0.07)
        check_positive('preview_base', preview_base, 1.005)
        check_weight('loss_weight', loss_weight, 0.05)
        self.student_dims, self.teacher_dims = student_dims, teacher_dims
        self.temperature, self.base_temperature = temperature, base_temperature
        self.preview_base, self.num_rotations, self.loss_weight = preview_base, num_rotations, loss_weight
        self.embed_student = nn.Linear(student_dims, student_dims)
        self.embed_teacher = nn.Linear(student_dims, teacher_dims)

    def forward(
        self,
        s_feature: Tensor,
        s_centers: Tensor,
        t_centers: Tensor,
        preds_S: Tensor,  # noqa: N803 mmrazor's name
        gt_labels: Tensor,
    ) -> Tensor:
        """The loss times ``loss_weight``.

        Args:
            s_feature: Pooled features of the student ``(N, student_dims)``, image by image.
            s_centers: Rows of the student's classifier ``(C, student_dims)``, from a ``ParameterRecorder``.
            t_centers: Rows of the teacher's classifier ``(C, teacher_dims)``, from a ``ParameterRecorder``.
            preds_S: Logits of the student ``(N, C)``; they give the preview weights and get no gradient.
            gt_labels: Classes ``(N,)``.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor has the wrong kind of dtype.
            ValueError: If shapes, devices or values do not fit.
        """
        check_features('s_feature', s_feature, width=self.student_dims)
        check_features('s_centers', s_centers, width=self.student_dims)
        check_features('t_centers', t_centers, width=self.teacher_dims)
        check_rotations(gt_labels, self.num_rotations)
        weights = current_preview_weights(preds_S, gt_labels, self.num_rotations, self.preview_base)
        with without_autocast(s_feature):
            feature = s_feature.to(self.embed_student.weight.dtype)
            losses = category_center_contrastive_loss(
                unit_rows(self.embed_student(feature)) @ s_centers.to(feature.dtype).T,
                unit_rows(self.embed_teacher(feature)) @ t_centers.detach().to(feature.dtype).T,
                gt_labels,
                temperature=self.temperature,
                base_temperature=self.base_temperature,
                reduction='none',
            )
            return self.loss_weight * (weights.repeat_interleave(self.num_rotations) * losses).sum() / max(len(losses), 1)

    def extra_repr(self) -> str:
        return (
            f'temperature={self.temperature}, base_temperature={self.base_temperature}, preview_base={self.preview_base}, '
            f'num_rotations={self.num_rotations}, loss_weight={self.loss_weight}'
        )
