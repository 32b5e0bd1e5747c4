"""Maps from the tokens of a transformer."""

from __future__ import annotations

import math

from mmengine.model import BaseModule
from torch import Tensor

from icckd_mm.registry import MODELS


@MODELS.register_module()
class TokensToMap(BaseModule):
    """Puts the tokens of a transformer into a square map, row by row, for losses that compare maps.

    Args:
        extra_tokens: Tokens in front of those of the patches, as a class token; they are left out.
        connector: Config of a connector that reads the map, such as a 1x1 convolution.
        init_cfg: Not used by the layer itself.

    Raises:
        ValueError: If ``extra_tokens`` is negative.

    Example:
        >>> import torch
        >>> TokensToMap(extra_tokens=1)(torch.rand(2, 17, 8)).shape
        torch.Size([2, 8, 4, 4])
    """

    def __init__(self, extra_tokens: int = 0, connector: dict | None = None, init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg)
        if not isinstance(extra_tokens, int) or extra_tokens < 0:
            raise ValueError(f'extra_tokens must be a whole number from 0, got {extra_tokens!r}; 1 for a class token')
        self.extra_tokens = extra_tokens
        self.connector = None if connector is None else MODELS.build(connector)

    def forward(self, tokens: Tensor) -> Tensor:
        """Maps of the tokens.

        Args:
            tokens: ``(B, N, D)``, or a map with its channels last ``(B, H, W, D)``.

        Returns:
            ``(B, D, side, side)``, or what the connector makes of it.

        Raises:
            ValueError: If the tokens do not fill a square.
        """
        if tokens.ndim not in (3, 4):
            raise ValueError(f'tokens must be (B, N, D) or (B, H, W, D), got {tuple(tokens.shape)}')
        tokens = tokens.flatten(1, -2)[:, self.extra_tokens :]
        side = math.isqrt(tokens.shape[1])
        if side * side != tokens.shape[1]:
            raise ValueError(
                f'{tokens.shape[1]} tokens after the first {self.extra_tokens} do not fill a square; correct extra_tokens'
            )
        maps = tokens.transpose(1, 2).unflatten(2, (side, side)).contiguous()
        return maps if self.connector is None else self.connector(maps)
