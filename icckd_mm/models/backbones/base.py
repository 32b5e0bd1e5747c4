"""Base class of the CIFAR backbones: stages in a row, some of them returned or frozen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmpretrain.models.backbones.base_backbone import BaseBackbone
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

KAIMING = [{'type': 'Kaiming', 'layer': ['Conv2d']}, {'type': 'Constant', 'val': 1, 'layer': ['_BatchNorm']}]
"""The benchmark's initialisation: convolutions normal with variance ``2 / fan_out``, biases 0, batch norm 1 and 0."""


class CIFARBackbone(BaseBackbone):
    """A stem, then stages in a row.

    A subclass passes the names of its modules to ``__init__``, builds them, ends its ``__init__`` with :meth:`_freeze_stages`
    and has :meth:`stem`. No ReLU is shared and none works in place, so that a recorder that hooks a module by name sees its
    output. :attr:`preact` names, per stage, the module that gives its features before the ReLU.

    Args:
        groups: Names of the modules: first those of the stem, then, per stage, the stage itself and
            its other modules.
        preact: Per stage, the name of the module whose output is the pre-activation.
        out_indices: Stages to return, from 0. Defaults to None, the last one.
        frozen_stages: Stages without gradient and in eval mode: -1 none, 0 the stem, ``i`` the stem and the first ``i``.
            Defaults to -1.
        norm_eval: Whether batch norm keeps its running statistics in training. Defaults to False.
        init_cfg: mmengine's initialisation; None leaves PyTorch's own.

    Raises:
        TypeError: If ``out_indices`` is not a tuple or list.
        ValueError: If a stage does not exist.

    Attributes:
        distilled_stages: Names of the stages that distillers compare; None: the last of each resolution.
    """

    distilled_stages: tuple[str, ...] | None = None

    def __init__(
        self,
        groups: Sequence[Sequence[str]],
        preact: Sequence[str],
        out_indices: Sequence[int] | None = None,
        frozen_stages: int = -1,
        norm_eval: bool = False,
        init_cfg: Any = None,
    ) -> None:
        stages = len(groups) - 1
        if out_indices is None:
            out_indices = (stages - 1,)
        if not isinstance(out_indices, (tuple, list)):
            raise TypeError(f'out_indices={out_indices!r} must be a tuple of stage indices, such as ({stages - 1},)')
        if not out_indices or any(index not in range(stages) for index in out_indices):
            raise ValueError(f'out_indices={out_indices!r} must name stages from 0 to {stages - 1}')
        if frozen_stages not in range(-1, stages + 1):
            raise ValueError(f'frozen_stages={frozen_stages!r} must lie between -1 (none) and {stages} (all)')
        super().__init__(init_cfg)
        self.groups = tuple(tuple(group) for group in groups)
        self.preact = tuple(preact)
        self.out_indices = tuple(out_indices)
        self.frozen_stages = frozen_stages
        self.norm_eval = norm_eval

    def stem(self, x: Tensor) -> Tensor:
        """The layers before the first stage."""
        raise NotImplementedError

    def tail(self, x: Tensor) -> Tensor:
        """The layers between the last stage and the pooling; by default none."""
        return x

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Feature maps of the stages in ``out_indices``, from fine to coarse.

        Args:
            x: Images ``(B, 3, H, W)``.

        Returns:
            Maps ``(B, D, h, w)``.
        """
        x = self.stem(x)
        outs = []
        last = len(self.groups) - 2
        for index, (stage, *_) in enumerate(self.groups[1:]):
            x = getattr(self, stage)(x)
            if index == last:
                x = self.tail(x)
            if index in self.out_indices:
                outs.append(x)
        return tuple(outs)

    def _freeze_stages(self) -> None:
        for group in self.groups[: self.frozen_stages + 1]:
            for name in group:
                getattr(self, name).eval().requires_grad_(False)

    def train(self, mode: bool = True) -> CIFARBackbone:
        """Switch to training (or evaluation) mode; frozen stages stay in evaluation mode."""
        super().train(mode)
        self._freeze_stages()
        if mode and self.norm_eval:
            for module in self.modules():
                if isinstance(module, _BatchNorm):
                    module.eval()
        return self
