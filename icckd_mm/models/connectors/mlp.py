"""A multi-layer perceptron from the student's features to the teacher's."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from icckd_mm.functional.tensor.checks import check_features
from icckd_mm.functional.tensor.number_checks import check_count
from icckd_mm.registry import MODELS


@MODELS.register_module()
class MLPConnector(BaseModule):
    """Linear, batch norm, ReLU, linear: the adapter of PCKD's feature alignment.

    An entry of ``connectors`` in mmrazor's ``ConfigurableDistiller``, trained with the student. (mmrazor's own connectors are
    not its base: a teacher's training must not need mmrazor.)

    Args:
        in_dims: Width of the student's features.
        out_dims: Width of the teacher's features.
        expansion: The hidden layer is this many times as wide as the teacher's features. Defaults to 16.

    Raises:
        ValueError: If one of them is below 1.

    Source: the widths are those of PCKD, Ding et al., arXiv 2410.14143; the layers inside are our choice, as is
    usual for such heads.
    """

    def __init__(self, in_dims: int, out_dims: int, expansion: int = 16) -> None:
        super().__init__()
        for name, size in (('in_dims', in_dims), ('out_dims', out_dims), ('expansion', expansion)):
            check_count(name, size)
        self.in_dims = in_dims
        self.layers = nn.Sequential(
            nn.Linear(in_dims, expansion * out_dims),
            nn.BatchNorm1d(expansion * out_dims),
            nn.ReLU(),
            nn.Linear(expansion * out_dims, out_dims),
        )

    def forward(self, feature: Tensor) -> Tensor:
        """Features ``(N, in_dims)`` to ``(N, out_dims)``.

        Raises:
            TypeError: If the features are not floating-point.
            ValueError: If they have another shape, or are one row in training.
        """
        check_features('feature', feature, width=self.in_dims)
        if self.training and len(feature) == 1:
            raise ValueError(
                'MLPConnector has batch norm, which cannot learn from a batch of one image; set '
                'train_dataloader.drop_last=True or another batch_size'
            )
        return self.layers(feature)
