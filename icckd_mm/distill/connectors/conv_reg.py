"""The benchmark's regressor from the student's maps to the teacher's."""

from __future__ import annotations

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from icckd_mm.functional.tensor.checks import check_map
from icckd_mm.registry import MODELS


@MODELS.register_module()
class ConvRegConnector(BaseModule):
    """A convolution that brings maps of the student to the teacher's shape, batch norm and a ReLU.

    A map of twice the teacher's side passes a 3x3 convolution of stride 2, one of half its side a transposed 4x4 convolution of
    stride 2, any other that is at least as large a convolution that is as wide as the difference of the sides plus 1 (1x1 for
    equal sides). All have a bias and PyTorch's own initialisation.

    Args:
        s_shape: Shape ``(C, H, W)`` of the student's maps.
        t_shape: Shape of the teacher's.
        relu: Whether a ReLU comes last; the maps that it predicts should have passed one, too.
        init_cfg: Initialisation of the weights; None leaves PyTorch's own.

    Raises:
        ValueError: If a shape is not three positive numbers, or the student's map is smaller than the teacher's and not half
            its side.

    Source: RepDistiller and mdistiller, for FitNet (Romero et al. 2015, arXiv 1412.6550).

    Example:
        >>> ConvRegConnector((16, 8, 8), (64, 16, 16))(torch.rand(2, 16, 8, 8)).shape
        torch.Size([2, 64, 16, 16])
    """

    def __init__(self, s_shape: Sequence[int], t_shape: Sequence[int], relu: bool = True, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        for name, shape in (('s_shape', s_shape), ('t_shape', t_shape)):
            if len(shape) != 3 or any(not isinstance(size, int) or size < 1 for size in shape):
                raise ValueError(f'{name} must be the three sizes (C, H, W) of a map, got {tuple(shape)!r}')
        (student, *s_side), (teacher, *t_side) = s_shape, t_shape
        if s_side == [2 * side for side in t_side]:
            self.conv: nn.Module = nn.Conv2d(student, teacher, 3, stride=2, padding=1)
        elif t_side == [2 * side for side in s_side]:
            self.conv = nn.ConvTranspose2d(student, teacher, 4, stride=2, padding=1)
        elif all(s >= t for s, t in zip(s_side, t_side)):
            self.conv = nn.Conv2d(student, teacher, (1 + s_side[0] - t_side[0], 1 + s_side[1] - t_side[1]))
        else:
            raise ValueError(
                f"maps {tuple(s_shape)} of the student cannot be brought to the teacher's {tuple(t_shape)}: sides must be "
                'equal, larger, or exactly half as long; record another stage'
            )
        self.norm = nn.BatchNorm2d(teacher)
        self.act = nn.ReLU() if relu else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Maps of the teacher's shape.

        Args:
            x: Maps of the student ``(B, C, H, W)``.

        Returns:
            ``(B, C', H', W')``.

        Raises:
            TypeError: If the maps are not floating-point.
            ValueError: If they are not maps.
        """
        check_map('x', x)
        return self.act(self.norm(self.conv(x)))
