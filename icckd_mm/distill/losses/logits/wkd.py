"""Wasserstein distance between soft labels."""

from __future__ import annotations

from torch import Tensor, nn

from icckd_mm.distill.class_distances import read_distances
from icckd_mm.functional import center_distances, transport_costs, wasserstein_divergence
from icckd_mm.functional.tensor.number_checks import check_count, check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class WassersteinLogitLoss(nn.Module):
    r"""WKD-L's transport term: probability is moved between classes, at a price that grows with their distance.

    See :func:`icckd_mm.functional.wasserstein_divergence`. Published beside it are cross-entropy and the first term of NKD,
    ``icckd_mm.NKDLoss(gamma=0)``, both with weight 1; the cosine decay of the transport term alone is
    ``icckd_mm.DistillWeightHook``'s.

    Args:
        distances: A ``.npy`` file ``(C, C)`` of ``tools/analysis/class_distances.py``; the matrix becomes part of the
            checkpoint. Defaults to None: one minus the cosine of the rows of the teacher's classifier, which the mapping
            ``t_centers`` gives (an alternative of the published code, and our default because it needs no file).
        tau: Temperature above 0. Defaults to 6.0.
        sharpness: How fast the costs grow with the distance, above 0. Defaults to 1.0.
        iterations: Iterations of Sinkhorn, at least 1. Defaults to 10.
        loss_weight: At least 0; published are 600 with ``tau=8`` (resnet32x4 to resnet8x4), 200 with 6 (wrn40-2 to
            ShuffleNetV1), 30 with 2 (ResNet-34 to ResNet-18). Defaults to 1.0.

    Raises:
        ValueError: If an argument is out of range or the file does not fit.

    Source: Lv, Yang and Li, NeurIPS 2024, arXiv 2412.08139.
    """

    distances: Tensor | None

    def __init__(
        self,
        distances: str | None = None,
        tau: float = 6.0,
        sharpness: float = 1.0,
        iterations: int = 10,
        loss_weight: float = 1.0,
    ) -> None:
        super().__init__()
        check_positive('tau', tau)
        check_positive('sharpness', sharpness)
        check_count('iterations', iterations)
        check_weight('loss_weight', loss_weight)
        self.tau, self.sharpness, self.iterations, self.loss_weight = tau, sharpness, iterations, loss_weight
        self.register_buffer('distances', None if distances is None else read_distances(distances))

    def forward(
        self,
        preds_S: Tensor,  # noqa: N803
        preds_T: Tensor,  # noqa: N803
        gt_labels: Tensor,
        t_centers: Tensor | None = None,
    ) -> Tensor:
        """Compare the logits.

        Args:
            preds_S: Logits of the student ``(B, C)``, ``C`` at least 2.
            preds_T: Logits of the teacher ``(B, C)``.
            gt_labels: Classes ``(B,)``.
            t_centers: Rows of the teacher's classifier ``(C, D)``. Defaults to None, if there is a file of distances.

        Returns:
            A scalar.

        Raises:
            TypeError: If a tensor has the wrong kind of dtype.
            ValueError: If shapes or values do not fit, or the distances are given twice or not at all.
        """
        distances = self.distances if t_centers is None else center_distances(t_centers)
        if distances is None or (t_centers is not None and self.distances is not None):
            raise ValueError("either set distances to a file, or map t_centers to the weight of the teacher's classifier")
        costs = transport_costs(distances, sharpness=self.sharpness)
        return self.loss_weight * wasserstein_divergence(
            preds_S, preds_T, gt_labels, costs, temperature=self.tau, iterations=self.iterations
        )
