"""MSDCRD-style contrast of local regions, our definition."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from icckd_mm.functional import multi_scale_contrastive_loss, region_weights
from icckd_mm.functional.contrast.multi_scale_regions import check_grids, fitting_grids
from icckd_mm.functional.tensor.checks import check_map
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class MultiScaleContrastiveLoss(nn.Module):
    r"""MSDCRD-style, our definition: regions of several scales contrasted across images and within each image.

    :math:`L = a\,L_{samp} + b\,L_{feat}` with :func:`icckd_mm.functional.multi_scale_contrastive_loss`. Works on last-stage
    maps; their sizes may differ, their widths may not: where they do, put mmrazor's ``ConvModuleConnector`` (1x1, with
    ``norm_cfg=dict(type='BN')`` and ``act_cfg=None``) after the student's map. No parameters. With several processes each
    contrasts its own batch.

    Args:
        grids: Sides of the grids, clipped to the maps. Defaults to (1, 2, 4).
        temperature: :math:`\tau > 0`. Defaults to 0.1.
        sample_weight: :math:`a \ge 0`; together with b it replaces ``loss_weight``. Defaults to 1.0.
        feature_weight: :math:`b \ge 0`. Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range.

    Source: the idea is that of MSDCRD, Wang et al., arXiv 2502.05835; equations and values are our choice, so a result
    of this loss says nothing about that paper.
    """

    def __init__(
        self,
        grids: Sequence[int] = (1, 2, 4),
        temperature: float = 0.1,
        sample_weight: float = 1.0,
        feature_weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_grids(grids)
        check_positive('temperature', temperature, 0.1)
        check_weight('sample_weight', sample_weight, 1.0)
        check_weight('feature_weight', feature_weight, 1.0)
        self.grids, self.temperature = tuple(grids), temperature
        self.sample_weight, self.feature_weight = sample_weight, feature_weight

    def forward(
        self,
        s_feature: Tensor,
        t_feature: Tensor,
        t_centers: Tensor | None = None,
        t_bias: Tensor | None = None,
        gt_labels: Tensor | None = None,
    ) -> Tensor:
        """The loss; with the teacher's classifier and labels, regions are weighted by ``region_weights``.

        Args:
            s_feature: Map of the student ``(B, D, H, W)``.
            t_feature: Map of the teacher ``(B, D, H', W')``.
            t_centers: Rows of the teacher's classifier ``(C, D)``. Defaults to None, all regions weigh 1.
            t_bias: Its bias ``(C,)``. Goes with ``t_centers``.
            gt_labels: Classes ``(B,)``. Goes with ``t_centers``.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor has the wrong kind of dtype.
            ValueError: If shapes, devices or values do not fit, or only some of the optional tensors are given.
        """
        check_map('s_feature', s_feature)
        check_map('t_feature', t_feature)
        weights = None
        if t_centers is not None and t_bias is not None and gt_labels is not None:
            grids = fitting_grids(self.grids, s_feature, t_feature)
            weights = region_weights(t_feature, t_centers, t_bias, gt_labels, grids=grids)
        elif not (t_centers is None and t_bias is None and gt_labels is None):
            raise ValueError('t_centers, t_bias and gt_labels go together, got only some of them; map all three or none')
        return multi_scale_contrastive_loss(
            s_feature,
            t_feature,
            grids=self.grids,
            temperature=self.temperature,
            weights=weights,
            sample_weight=self.sample_weight,
            feature_weight=self.feature_weight,
        )

    def extra_repr(self) -> str:
        return (
            f'grids={self.grids}, temperature={self.temperature}, '
            f'sample_weight={self.sample_weight}, feature_weight={self.feature_weight}'
        )
