"""The last feature of every image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from icckd_mm.functional.tensor.gather import all_gather_batch
from icckd_mm.functional.tensor.numerics import unit_rows
from icckd_mm.functional.tensor.snapshot import snapshot


class FeatureBank(nn.Module):
    """One unit row per image in half precision: 2 N D bytes, 26 MB for 50,000 images and 256 dimensions.

    Args:
        num_images: ``N``.
        feat_dims: ``D``.

    Attributes:
        features: ``(N + 1, D)`` float16; the last row takes features of no image.
        written: ``(N + 1,)`` bool; True for rows that hold a feature.
    """

    features: Tensor
    written: Tensor

    def __init__(self, num_images: int, feat_dims: int) -> None:
        super().__init__()
        self.register_buffer('features', torch.zeros(num_images + 1, feat_dims, dtype=torch.float16))
        self.register_buffer('written', torch.zeros(num_images + 1, dtype=torch.bool))

    def read(self, index: Tensor, default: Tensor) -> Tensor:
        """Stored features of some images.

        Args:
            index: ``(B,)`` in ``[0, N)``.
            default: ``(B, D)``, for images without a stored feature.

        Returns:
            ``(B, D)`` in the type of ``default``.
        """
        return torch.where(snapshot(self.written[index])[:, None], snapshot(self.features[index]).to(default.dtype), default)

    @torch.no_grad()
    def write(self, index: Tensor, features: Tensor, batch_size: int | None = None) -> None:
        """Store rows of all processes, so that their banks stay identical; a row that is not finite is skipped.

        Args:
            index: ``(B,)`` in ``[0, N)``.
            features: ``(B, D)``.
            batch_size: The largest ``B`` of all processes, see :func:`all_gather_batch`. Defaults to None.
        """
        nobody = self.written.size(0) - 1
        features, index, _ = all_gather_batch(unit_rows(features.detach().float()), index, nobody, batch_size)
        index = torch.where(features.isfinite().all(dim=1), index, nobody)
        self.features[index] = features.to(torch.float16)
        self.written[index] = index != nobody
