"""Multi-level logits from a weak and a strong view."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from icckd_mm.functional import multi_level_loss
from icckd_mm.functional.tensor.number_checks import check_positive, check_weight
from icckd_mm.registry import MODELS


@MODELS.register_module()
class MultiLevelLogitLoss(nn.Module):
    """MLKD: divergences at five temperatures, and relations of classes and of images, as the published code computes them.

    See :func:`icckd_mm.functional.multi_level_loss`. Rows are the weak views, then the strong views of the same images:
    ``icckd_mm.TwoViewDataPreprocessor(repeat_samples=True)`` after mmpretrain's ``MultiView`` with two pipelines.
    Cross-entropy is a mean over both views, so a weight of 0.2 in the head is the published 0.1 for each. Compare it with KD
    of the same views and length: the published gains contain both.

    Args:
        taus: Temperatures above 0; the strong view counts at the first three. Defaults to (4, 3, 5, 2, 6).
        loss_weight: At least 0. Defaults to 0.9, published for CIFAR; 0.5 for ImageNet, with a first temperature of 1.
        standardize: Whether the divergences compare logits of mean 0 and deviation 1 (LSKD); then ``taus`` begin with 2 and
            ``loss_weight`` is 6 to 9. Defaults to False.

    Raises:
        ValueError: If an argument is out of range.

    Source: Jin, Wang and Lin, CVPR 2023, in the form of the published code, on which the published figures depend.
    """

    def __init__(
        self, taus: Sequence[float] = (4.0, 3.0, 5.0, 2.0, 6.0), loss_weight: float = 0.9, standardize: bool = False
    ) -> None:
        super().__init__()
        if not isinstance(taus, Sequence) or isinstance(taus, str) or not taus:
            raise ValueError(f'taus must be a sequence of temperatures, got {taus!r}; (4, 3, 5, 2, 6) is the default')
        for tau in taus:
            check_positive('each of taus', tau)
        check_weight('loss_weight', loss_weight)
        self.taus, self.loss_weight, self.standardize = tuple(taus), loss_weight, standardize

    def forward(self, preds_S: Tensor, preds_T: Tensor) -> Tensor:  # noqa: N803
        """Compare the logits.

        Args:
            preds_S: Logits of the student ``(2N, C)``, the weak views first.
            preds_T: Logits of the teacher ``(2N, C)``.

        Returns:
            A scalar.

        Raises:
            TypeError: If the logits are not floating-point.
            ValueError: If the shapes do not fit.
        """
        return self.loss_weight * multi_level_loss(preds_S, preds_T, temperatures=self.taus, standardize=self.standardize)
