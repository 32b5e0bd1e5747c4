"""The projection of contrastive representation distillation."""

from __future__ import annotations

from mmengine.model import BaseModule
from torch import Tensor, nn

from icckd_mm.functional.tensor.checks import check_floating
from icckd_mm.functional.tensor.numerics import raised, unit_rows
from icckd_mm.registry import MODELS


@MODELS.register_module()
class CRDConnector(BaseModule):
    """A linear layer with unit-length output, for :class:`icckd_mm.CRDLoss`; a zero row stays zero (mmrazor's gives NaN).

    Args:
        dim_in: Width of the features. Defaults to 1024.
        dim_out: Width of the rows. Defaults to 128.
        init_cfg: Initialisation of the weights. Defaults to None, PyTorch's own.
    """

    def __init__(self, dim_in: int = 1024, dim_out: int = 128, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        self.linear = nn.Linear(dim_in, dim_out)

    def forward(self, x: Tensor) -> Tensor:
        """Rows of length 1.

        Args:
            x: Features ``(B, dim_in)`` or maps that flatten to it.

        Returns:
            ``(B, dim_out)`` in at least single precision.

        Raises:
            TypeError: If the features are not floating-point.
        """
        check_floating('x', x, ' (B, D)')
        return unit_rows(raised(self.linear(x.flatten(1))))
