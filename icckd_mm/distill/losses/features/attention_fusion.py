"""Fusion of a student's map with what its deeper layers have seen."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class AttentionFusion(nn.Module):
    r"""ABF of ReviewKD: a student's map and the review of the deeper levels become a map of the teacher's width.

    .. math:: u = \mathrm{BN}(W x), \quad a = \mathrm{sigmoid}(V[u; {\uparrow}r']), \quad r = a_0 u + a_1 {\uparrow}r', \quad
        o = \mathrm{BN}(W^{3\times3}\,{\uparrow}r)

    Resizes copy the nearest position. The deepest level has :math:`r = u`.

    Args:
        in_channels: Width of the student's map.
        channels: Width of :math:`u` and :math:`r`, one for all levels.
        out_channels: Width of the teacher's map.
        deepest: Whether there is no deeper level.

    Source: Chen et al. 2021, arXiv 2104.09044, Fig. 3; initial weights as in its code.
    """

    def __init__(self, in_channels: int, channels: int, out_channels: int, deepest: bool) -> None:
        super().__init__()
        reduce = nn.Conv2d(in_channels, channels, 1, bias=False)
        expand = nn.Conv2d(channels, out_channels, 3, padding=1, bias=False)
        for layer in (reduce, expand):
            nn.init.kaiming_uniform_(layer.weight, a=1)
        self.reduce = nn.Sequential(reduce, nn.BatchNorm2d(channels))
        self.attention = None if deepest else nn.Conv2d(2 * channels, 2, 1)
        self.expand = nn.Sequential(expand, nn.BatchNorm2d(out_channels))

    def forward(self, features: Tensor, deeper: Tensor | None, size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Fuse.

        Args:
            features: The student's map ``(B, C, H, W)``.
            deeper: Review of the next deeper level; None at the deepest.
            size: Height and width of the teacher's map.

        Returns:
            The map to compare with the teacher's, and the review.
        """
        review = self.reduce(features)
        if self.attention is not None and deeper is not None:
            deeper = F.interpolate(deeper, review.shape[2:], mode='nearest')
            shares = self.attention(torch.cat([review, deeper], dim=1)).sigmoid()
            review = shares[:, :1] * review + shares[:, 1:] * deeper
        resized = review if review.shape[2:] == size else F.interpolate(review, size, mode='nearest')
        return self.expand(resized), review
